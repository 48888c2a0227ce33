import { z } from 'zod';
import { command } from '../command.ts';
import { bad, bold, dim, good, head, table } from '../text.ts';

export const policyLs = command({
  name: 'policy ls',
  about: 'list the policies that decide here, each with its sentence',
  examples: ['pawl policy ls', 'pawl policy ls --json'],
  input: z.object({}),
  run: async (_, context) => {
    const { policies, digest } = await context.policy.bundle();
    const all = [...policies.values()];
    return {
      data: { bundle: digest, policies: all },
      lines: [
        ...table([
          head('policy', 'effect', 'where', 'because'),
          ...all.map(({ id, effect, because, file, line }) => [
            bold(id),
            effect === 'permit' ? good(effect) : bad(effect),
            `${file}:${line}`,
            because,
          ]),
        ]),
        [dim(`bundle ${digest}`)],
      ],
      next: [['Try them', 'pawl policy test']],
    };
  },
});
