/** The story does everything with the same command that a person has. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PawlError } from '../../contracts/failures.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export interface Pawl {
  /** Runs a command with --json and gives what it printed; `told` sees each line of its progress. */
  run(args: readonly string[], told?: (line: unknown) => void): Promise<unknown>;
  /** The command as a person would type it. */
  typed(args: readonly string[]): string;
}

export const pawlOf = (home: string, variables: Readonly<Record<string, string | undefined>>): Pawl => ({
  typed: (args) => `pawl ${args.map((arg) => (/\s/.test(arg) ? JSON.stringify(arg) : arg)).join(' ')}`,
  run: (args, told) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [MAIN, ...args, '--json'], {
        env: { ...variables, PAWL_HOME: home },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let last: unknown;
      let errors = '';
      createInterface({ input: child.stdout }).on('line', (line) => {
        last = JSON.parse(line);
        told?.(last);
      });
      child.stderr.on('data', (text) => {
        errors += text;
      });
      child.on('error', reject);
      child.on('close', (code) => {
        // How a cycle ended is told by the exit code as well; its last line says more.
        if (code === 0 || last !== undefined) return resolve(last);
        reject(new PawlError('Unhealthy', `\`pawl ${args.join(' ')}\` failed (${code}): ${errors.trim()}`));
      });
    }),
});
