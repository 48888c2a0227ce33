import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import type { Environment } from './environment.ts';

/** Programs of the system that only tests need; Pawl brings none of them. */
const programs = {
  /** For what people see on a page. */
  browser: { names: ['chromium', 'chromium-browser', 'google-chrome'], bringing: 'apt-get install chromium' },
  /** For keys that an agent keeps. */
  sshAgent: { names: ['ssh-agent'], bringing: 'apt-get install openssh-client' },
  /** For answers that gateways share. */
  redis: { names: ['redis-server'], bringing: 'apt-get install redis-server' },
} as const;

/** Path of the program, by the first of its names that is there. */
export const resolveProgram = async (which: keyof typeof programs, { path }: Environment): Promise<string> => {
  const { names, bringing } = programs[which];
  const folders = path.split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
  if (found) return found;
  throw new PawlError('SetupFailed', `PATH has no ${names.join(', no ')}.`, {
    hint: `Get it with \`${bringing}\`, and run it again.`,
  });
};
