/** Pythons for the tests of the examples that are written in it, each with what it imports; made once, into Pawl's cache. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { runCommand } from './command.mjs';
import type { Environment } from './environment.ts';
import { withLock } from './lock.mjs';
import { withProgress } from './progress.mjs';

const PYTHONS = {
  temporalio: { release: '1.35.0', beside: [] },
  onnxruntime: { release: '1.31.1', beside: ['numpy==2.4.6'] },
} as const;
export type PythonPackage = keyof typeof PYTHONS;

/** Path of the interpreter. */
export async function resolvePython(environment: Environment, name: PythonPackage): Promise<string> {
  const { release, beside } = PYTHONS[name];
  const packages = [`${name}==${release}`, ...beside];
  const folder = join(environment.cache, `python-${name}`, release);
  const interpreter = join(folder, 'bin', 'python');
  const ready = join(folder, 'ready');
  if (existsSync(ready)) return interpreter;
  return withLock(`${folder}.lock`, async () => {
    if (!existsSync(ready))
      await withProgress(`Fetching ${name} ${release} with pip`, () => bring(environment, folder, ready, packages));
    return interpreter;
  });
}

/** A virtual environment knows its own path, so it is made where it stays; `ready` says that it is whole. */
async function bring(
  environment: Environment,
  folder: string,
  ready: string,
  packages: readonly string[],
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  await step(environment, 'python3', ['-m', 'venv', folder]);
  await step(environment, join(folder, 'bin', 'pip'), [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    ...packages,
  ]);
  mkdirSync(`${ready}.new`);
  renameSync(`${ready}.new`, ready);
}

async function step(environment: Environment, command: string, args: string[]): Promise<void> {
  const ended = await runCommand(command, args, { env: environment.variables });
  if (!ended.failed) return;
  throw new PawlError(
    'SetupFailed',
    `Python with ${args.at(-1)} could not be set up: ${ended.failed}.\n${ended.output}`,
    {
      hint: 'Get Python with `apt-get install python3-venv`, see that pip reaches a package index, and run it again.',
    },
  );
}
