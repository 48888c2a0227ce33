import { z } from 'zod';
import { command } from '../command.ts';

export const up = command({
  name: 'up',
  about: 'x',
  examples: ['pawl up'],
  input: z.object({}),
  run: async () => undefined,
});
