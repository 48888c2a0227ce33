/** A server that speaks S3, for the tests of what lies there: VersityGW over a folder, built with Go, once, into Pawl's cache. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { runCommand } from './command.mjs';
import type { Environment } from './environment.ts';
import { withLock } from './lock.mjs';
import { withProgress } from './progress.mjs';

const RELEASE = '1.8.0';
const MODULE = `github.com/versity/versitygw/cmd/versitygw@v${RELEASE}`;

export const s3ServerPath = ({ cache }: Pick<Environment, 'cache'>): string =>
  join(cache, 'versitygw', RELEASE, 'versitygw');

/** Path of the executable. */
export async function resolveS3Server(environment: Environment): Promise<string> {
  const executable = s3ServerPath(environment);
  if (existsSync(executable)) return executable;
  return withLock(`${dirname(executable)}.lock`, async () => {
    if (!existsSync(executable)) await build(environment, executable);
    return executable;
  });
}

async function build(environment: Environment, executable: string): Promise<void> {
  mkdirSync(dirname(executable), { recursive: true });
  const folder = mkdtempSync(join(dirname(executable), 'new-'));
  try {
    const ended = await withProgress(
      `Building VersityGW ${RELEASE} with Go (about three minutes, only this once)`,
      (detail) =>
        runCommand('go', ['install', MODULE], { env: { ...environment.variables, GOBIN: folder }, onLine: detail }),
    );
    if (ended.failed) {
      throw new PawlError('SetupFailed', `The S3 server could not be built: ${ended.failed}.\n${ended.output}`, {
        hint: 'Get Go 1.25 or later (https://go.dev/dl), see that it reaches a module proxy, and run it again.',
      });
    }
    renameSync(join(folder, 'versitygw'), executable);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
