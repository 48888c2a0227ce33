import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assertLocalDisk } from '../../adapters/sqlite/local-disk.ts';
import type { Environment } from '../setup/environment.ts';
import { findTemporal } from '../setup/temporal.ts';
import { isBundled } from '../temporal/bundle.ts';
import { attempt, type Check, failed, ok, warning } from './check.ts';

const NODE = 24;
const GIB = 2 ** 30;
const LOW = GIB;
const TOO_LOW = GIB / 4;

export const machineChecks = (environment: Environment): Promise<Check[]> =>
  Promise.all([
    attempt('Node', () => nodeCheck(process.versions.node)),
    attempt('Temporal CLI', () => binaryCheck(environment)),
    attempt('Disk space', () => spaceCheck(freeBytes(environment.home))),
    attempt('File system', () => fileSystemCheck(environment)),
    attempt('Cache', () => cacheCheck(environment)),
    attempt('Workflow bundle', () =>
      ok('Workflow bundle', isBundled() ? 'built from this code' : 'not built yet; the first worker builds it'),
    ),
  ]);

export const nodeCheck = (version: string): Check =>
  Number.parseInt(version, 10) >= NODE
    ? ok('Node', version)
    : failed(
        'Node',
        `${version}; Pawl runs on Node ${NODE}`,
        'Start Pawl with `npm run -s pawl`, which finds its own Node.',
      );

async function binaryCheck(environment: Environment): Promise<Check> {
  const tried: string[] = [];
  const found = await findTemporal(environment, tried);
  if (found) return ok('Temporal CLI', `${found.path}, server ${found.server}`);
  const because = tried.map((line) => line.trim()).join('; ');
  return warning('Temporal CLI', because, '`pawl up` brings one, or install it from https://docs.temporal.io/cli.');
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

export function spaceCheck(bytes: number): Check {
  const found = `${(bytes / GIB).toFixed(1)} GiB free`;
  const mend = 'Make room: Pawl needs a few hundred MiB for its stores, indexes and artifacts.';
  if (bytes < TOO_LOW) return failed('Disk space', found, mend);
  return bytes < LOW ? warning('Disk space', found, mend) : ok('Disk space', found);
}

function fileSystemCheck({ home, state }: Environment): Check {
  const folder = existsSync(state) ? state : home;
  assertLocalDisk(folder);
  accessSync(folder, constants.W_OK);
  return ok('File system', `${folder} is local and can be written`);
}

function cacheCheck({ cache }: Environment): Check {
  let there = cache;
  while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
  try {
    accessSync(there, constants.W_OK);
  } catch {
    return failed(
      'Cache',
      `${there} cannot be written`,
      'Give yourself the right to write there, or set XDG_CACHE_HOME.',
    );
  }
  const parts = ['temporal', 'temporal-test-server'].filter((name) => existsSync(join(cache, name)));
  return ok('Cache', parts.length > 0 ? `${cache} holds ${parts.join(', ')}` : `${cache} is empty`);
}
