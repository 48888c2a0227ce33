import { z } from 'zod';
import { command } from '../command.ts';

export const doctor = command({
  name: 'doctor',
  about: 'x',
  examples: ['pawl doctor'],
  input: z.object({}),
  run: async () => undefined,
});
