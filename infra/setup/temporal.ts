/**
 * Finds the `temporal` binary, or brings one: PAWL_TEMPORAL, then PATH, then Pawl's cache, then a download, then Go.
 *
 * 1. A binary that the user names is used or refused, never passed over in silence.
 * 2. Whatever is brought appears in the cache by rename, so that nobody ever sees half of it.
 * 3. Bringing happens under a lock; whoever waited looks in the cache first.
 */
import { PawlError } from '../../contracts/failures.ts';
import type { Environment } from './environment.ts';
import { withLock } from './lock.mjs';
import { inspectBinary, OLDEST_SERVER, type TemporalBinary } from './temporal-version.ts';
import { type Attempt, buildWithGo, cachedBinary, download, onPath } from './temporal-ways.ts';

export interface Found extends TemporalBinary {
  readonly way: string;
}

interface Way {
  readonly name: string;
  find(): Promise<Attempt>;
}

export async function resolveTemporal(environment: Environment, fetchCli = download): Promise<Found> {
  const tried: string[] = [];
  return (await findTemporal(environment, tried)) ?? bring(environment, fetchCli, tried);
}

/** What is on this machine already; `tried` takes up why the rest was not it. */
export async function findTemporal(environment: Environment, tried: string[] = []): Promise<Found | undefined> {
  if (environment.temporalBinary) return named(environment.temporalBinary);
  const ways = [
    { name: '`temporal` on PATH', find: async () => onPath(environment) },
    { name: "Pawl's cache", find: async () => cachedBinary(environment) },
  ];
  return first(ways, tried);
}

async function named(path: string): Promise<Found> {
  const binary = await inspectBinary(path);
  if (typeof binary !== 'string') return { ...binary, way: 'PAWL_TEMPORAL' };
  throw new PawlError('SetupFailed', `PAWL_TEMPORAL names ${path}: ${binary}.`, {
    hint: 'Point it to a temporal binary, or unset it and Pawl looks for one.',
  });
}

async function bring(environment: Environment, fetchCli: typeof download, tried: string[]): Promise<Found> {
  const lock = `${environment.cache}/temporal.lock`;
  let said = false;
  const waiting = ({ pid }: { pid: number }) => {
    if (!said) process.stderr.write(`Waiting for process ${pid}, which is getting Temporal (${lock}).\n`);
    said = true;
  };
  const found = await withLock(
    lock,
    () =>
      first(
        [
          { name: "Pawl's cache", find: async () => cachedBinary(environment) },
          { name: 'download', find: () => fetchCli(environment) },
          { name: 'go install', find: () => buildWithGo(environment) },
        ],
        tried,
      ),
    waiting,
  );
  if (found) return found;
  throw new PawlError('SetupFailed', ['No Temporal was found, and none could be brought.', ...tried].join('\n'), {
    hint: `Install the Temporal CLI (server ${OLDEST_SERVER} or later, https://docs.temporal.io/cli) so that \`temporal\` is on PATH, or name a binary with PAWL_TEMPORAL, or install Go, and run it again.`,
  });
}

async function first(ways: readonly Way[], tried: string[]): Promise<Found | undefined> {
  for (const { name, find } of ways) {
    const attempt = await find();
    const binary = 'path' in attempt ? await inspectBinary(attempt.path) : attempt.because;
    if (typeof binary !== 'string') return { ...binary, way: name };
    const line = `  ${name}: ${binary}`;
    if (!tried.includes(line)) tried.push(line);
  }
  return undefined;
}
