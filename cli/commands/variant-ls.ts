import { z } from 'zod';
import { command, SERVICE, serviceName } from '../command.ts';
import { bold, head, relative, short, table } from '../text.ts';
import { rolesOf, stateOf } from '../variants.ts';

export const variantLs = command({
  name: 'variant ls',
  about: 'list the variants of a service, newest first',
  arguments: [SERVICE],
  examples: ['pawl variant ls', 'pawl variant ls docs --json'],
  input: z.object({ service: serviceName }),
  run: async ({ service: named }, context) => {
    const service = await context.service(named);
    const state = await stateOf(context.control, service);
    const variants = [...(await context.control.variants(service))]
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
      .map((variant) => ({ ...variant, role: rolesOf(state, variant.id) }));
    const now = Date.now();
    return {
      data: variants,
      lines: table([
        head('variant', 'role', 'origin', 'made'),
        ...variants.map(({ id, role, origin, createdAt }) => [bold(short(id)), role, origin, relative(createdAt, now)]),
      ]),
      next: [['Look at one', 'pawl variant show champion']],
    };
  },
});
