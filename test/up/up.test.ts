import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runChecks } from '../../infra/doctor/checks.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { startOf } from '../../infra/setup/lock.mjs';
import { endLeftovers } from '../../infra/up/leftovers.ts';
import { runUp } from '../../infra/up/up.ts';
import { readUpFile, type UpFile, writeUpFile } from '../../infra/up/up-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const home = () =>
  readEnvironment({
    ...readEnvironment().variables,
    PAWL_HOME: temporaryFolder(),
    PAWL_TEMPORAL_PORT: '0',
    PAWL_GATEWAY_PORT: '0',
  });
const up = (
  environment: ReturnType<typeof home>,
  whileUp: (now: UpFile) => Promise<void>,
  signal = new AbortController().signal,
) => runUp({ environment, gateway: { host: '127.0.0.1', port: 0 }, whileUp, signal });

test('everything serves, doctor finds nothing wrong, and after it nothing runs', async () => {
  const environment = home();
  let pids: number[] = [];
  await up(environment, async ({ children }) => {
    pids = Object.values(children);
    expect(Object.keys(children).sort()).toEqual([
      'gateway',
      'temporal',
      'worker-control',
      'worker-data',
      'worker-infer',
      'worker-train',
    ]);
    expect((await runChecks(environment)).filter(({ state }) => state === 'failed')).toEqual([]);
    await expect(up(environment, async () => {})).rejects.toMatchObject({
      type: 'Refused',
      message: `\`pawl up\` runs here already, as process ${process.pid}.`,
    });
    expect(readUpFile(environment.state)?.pid).toBe(process.pid);
  });
  expect(pids).toHaveLength(6);
  for (const pid of pids) expect(startOf(pid)).toBeNull();
  expect(existsSync(join(environment.state, 'up.json'))).toBe(false);
});

test('what a killed `pawl up` left running is ended, and a stranger that has a process number of it is not', async () => {
  const { state } = home();
  mkdirSync(state, { recursive: true });
  const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(left, 'spawn');
  const pid = left.pid ?? 0;
  writeUpFile(state, {
    pid: 1,
    startedAt: '2026-11-21T00:00:00.000Z',
    temporal: { address: '127.0.0.1:7233', namespace: 'default', ui: null },
    gateway: null,
    // This very process would not survive being taken for the one that was started long ago.
    children: { gateway: pid, temporal: process.pid },
    started: { gateway: startOf(pid), temporal: '1' },
  });
  await endLeftovers(state);
  expect(startOf(pid)).toBeNull();
  expect(existsSync(join(state, 'up.json'))).toBe(false);
});

test('it can be ended while it starts', async () => {
  const environment = home();
  const stop = new AbortController();
  const running = up(environment, () => Promise.reject(new Error('it should never serve')), stop.signal);
  while (!readUpFile(environment.state)) await new Promise((resolve) => setImmediate(resolve));
  const pids = Object.values(readUpFile(environment.state)?.children ?? {});
  stop.abort();
  await running;
  for (const pid of pids) expect(startOf(pid)).toBeNull();
});
