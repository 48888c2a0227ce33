import { z } from 'zod';
import { command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { bold, head, table } from '../text.ts';

export const helpExitCodes = command({
  name: 'help exit-codes',
  about: 'print what each exit code means',
  examples: ['pawl help exit-codes'],
  input: z.object({}),
  run: async () => ({
    data: exitCodes,
    lines: table([
      head('code', 'name', 'meaning'),
      ...exitCodes.map(({ code, name, meaning }) => [bold(code), name, meaning]),
    ]),
  }),
});
