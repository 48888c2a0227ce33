import { z } from 'zod';
import { DEFAULT_SOURCE } from '../../adapters/models/source.ts';
import { command } from '../command.ts';
import { registeredModels } from '../models.ts';
import { bold, dim, head, type Line, NOTHING, relative, short, table, warn } from '../text.ts';

export const modelLs = command({
  name: 'model ls',
  about: 'list the imported base models of this machine, and the models that this home registered',
  examples: ['pawl model ls', 'pawl model ls --json'],
  input: z.object({}),
  run: async (_, context) => {
    const { models, damaged } = await context.models.list();
    const registered = await registeredModels(context);
    const now = Date.now();
    const rows = [
      ...models.map(({ id, name, source, importedAt }) => [id, 'imported', name, source, importedAt] as const),
      ...registered.map(
        ({ id, kind, name, base, createdAt }) => [id, kind, name, `on ${short(base)}`, createdAt] as const,
      ),
    ];
    const lines: Line[] = table([
      head('model', 'kind', 'name', 'from', 'when'),
      ...rows.map(([id, kind, name, from, when]) => [bold(short(id)), kind, name, from, relative(when, now)]),
    ]);
    return {
      data: { imported: models, registered, damaged },
      lines: [
        ...(rows.length > 0
          ? lines
          : [dim(`no models yet ${NOTHING} a base model is imported once for all homes`)].map((line) => [line])),
        ...damaged.map((id) => [warn('damaged '), `${short(id)}: import it again from where it came`]),
      ],
      next:
        rows.length > 0
          ? [['Look at one', `pawl model show ${short(rows[0]?.[0] ?? '')}`]]
          : [['Import the default encoder', `pawl model import ${DEFAULT_SOURCE}`]],
    };
  },
});
