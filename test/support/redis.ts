/** A real Redis for a file of tests, with nothing on the disk. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolveProgram } from '../../infra/setup/program.ts';
import { freePorts } from '../../infra/temporal/ports.ts';

/** Path of the program; null on a machine without it: `describe.skipIf`. */
export const redisProgram = await resolveProgram('redis', readEnvironment()).catch(() => null);

export const PASSWORD = 'redis-test-password';

export interface TestRedis {
  readonly url: string;
  /** A connection of the test's own, to look and to meddle. */
  readonly client: Awaited<ReturnType<typeof connected>>;
  /** As a process that hangs: its socket takes what comes, and nothing goes back. */
  hang(): void;
  goOn(): void;
  stop(): Promise<void>;
}

export const startRedis = async (wantedPort?: number): Promise<TestRedis> => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-redis-'));
  const port = wantedPort ?? (await freePorts(1))[0];
  const options = [
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    folder,
    '--save',
    '',
    '--requirepass',
    PASSWORD,
  ];
  const child = spawn(redisProgram ?? '', options, { stdio: 'ignore' });
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
  const client = await connected(url);
  return {
    url,
    client,
    hang: () => void child.kill('SIGSTOP'),
    goOn: () => void child.kill('SIGCONT'),
    stop: async () => {
      client.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** It tries until the server listens. */
const connected = async (url: string) => {
  const client = createClient({ url, socket: { reconnectStrategy: () => 20 } });
  client.on('error', () => undefined);
  return client.connect();
};
