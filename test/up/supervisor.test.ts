import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startOf } from '../../infra/setup/lock.mjs';
import type { ChildEvent, ChildSpec } from '../../infra/up/child.ts';
import { levelsOf, Supervisor } from '../../infra/up/supervisor.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const rule = { firstMs: 10, mostMs: 20, steadyMs: 60_000, quickDeaths: 3 };

/** A Node process that runs `script` and counts as ready once it has written the file READY. */
const child = (folder: string, name: string, script: string, more: Partial<ChildSpec> = {}): ChildSpec => {
  const ready = join(folder, `${name}.ready`);
  return {
    name,
    command: process.execPath,
    args: [
      '--input-type=module',
      '-e',
      `import fs from 'node:fs'; const ready = () => fs.writeFileSync(${JSON.stringify(ready)}, ''); ${script}`,
    ],
    env: {},
    after: [],
    graceMs: 5_000,
    ready: async (_, gone) => {
      while (!existsSync(ready)) await pause(5, undefined, { signal: gone });
    },
    ...more,
  };
};
const STAYS = `const life = setInterval(() => {}, 1000); process.on('SIGTERM', () => { clearInterval(life); console.log('bye'); }); ready();`;

const supervise = (folder: string, specs: ChildSpec[]) => {
  const events: ChildEvent[] = [];
  const supervisor = new Supervisor(specs, { logs: join(folder, 'logs'), rule, tell: (event) => events.push(event) });
  onTestFinished(() => supervisor.stop());
  const story = () => events.map(({ child: name, what }) => `${name} ${what}`);
  /** Returns when `what` was told of the child for the `nth` time. */
  const until = async (line: string, nth = 1) => {
    while (story().filter((told) => told === line).length < nth) await pause(5);
  };
  return { supervisor, events, story, until };
};

test('children start after those that they need, and stop before them', async () => {
  const folder = temporaryFolder();
  const { supervisor, story } = supervise(folder, [
    child(folder, 'gateway', STAYS, { after: ['temporal'] }),
    child(folder, 'temporal', STAYS),
  ]);
  await supervisor.start();
  const pids = Object.values(supervisor.pids);
  await supervisor.stop();
  expect(story()).toEqual([
    'temporal started',
    'temporal ready',
    'gateway started',
    'gateway ready',
    'gateway stopped',
    'temporal stopped',
  ]);
  expect(pids).toHaveLength(2);
  for (const pid of pids) expect(startOf(pid)).toBeNull();
  expect(readFileSync(join(folder, 'logs', 'gateway.log'), 'utf8')).toBe('bye\n');
});

test('a child that is killed is started again, as another process', async () => {
  const folder = temporaryFolder();
  const { supervisor, until, events } = supervise(folder, [child(folder, 'worker', STAYS)]);
  await supervisor.start();
  const { worker = 0 } = supervisor.pids;
  process.kill(worker, 'SIGKILL');
  await until('worker ready', 2);
  expect(supervisor.pids.worker).not.toBe(worker);
  expect(events.find(({ what }) => what === 'died')?.because).toContain('SIGKILL');
});

test('a child that keeps dying is given up with its last words, and the others go on', async () => {
  const folder = temporaryFolder();
  const ill = join(folder, 'ill');
  const { supervisor, until, events, story } = supervise(folder, [
    child(folder, 'gateway', STAYS),
    child(
      folder,
      'worker',
      `if (fs.existsSync(${JSON.stringify(ill)})) { console.error('no such model'); process.exit(3); } ${STAYS}`,
    ),
  ]);
  await supervisor.start();
  writeFileSync(ill, '');
  process.kill(supervisor.pids.worker ?? 0, 'SIGKILL');
  await until('worker given up');
  expect(story().filter((line) => line === 'worker started')).toHaveLength(3);
  const because = events.find(({ what }) => what === 'given up')?.because;
  expect(because).toContain('3 times in a row (it ended with exit code 3); it is not started again');
  expect(because).toContain('no such model');
  expect(Object.keys(supervisor.pids)).toEqual(['gateway']);
});

test('when one cannot start at all, the others are stopped, and the error says where to look', async () => {
  const folder = temporaryFolder();
  const { supervisor } = supervise(folder, [
    child(folder, 'temporal', STAYS),
    child(folder, 'worker', 'process.exit(1)', { after: ['temporal'] }),
  ]);
  await expect(supervisor.start()).rejects.toMatchObject({
    type: 'SetupFailed',
    message: expect.stringContaining('worker did not last'),
    hint: expect.stringContaining(join(folder, 'logs', 'worker.log')),
  });
  expect(supervisor.pids).toEqual({});
});

test('a program that is not there is an error, not a crash', async () => {
  const folder = temporaryFolder();
  const { supervisor } = supervise(folder, [child(folder, 'worker', '', { command: join(folder, 'nothing') })]);
  await expect(supervisor.start()).rejects.toThrow(/could not be started.*ENOENT/);
});

test('a child that never gets ready is ended, and its reason is told', async () => {
  const folder = temporaryFolder();
  const never = child(folder, 'worker', STAYS, { ready: () => Promise.reject(new Error('no pollers')) });
  const { supervisor } = supervise(folder, [never]);
  await expect(supervisor.start()).rejects.toThrow('no pollers');
  expect(supervisor.pids).toEqual({});
});

test('a child that ignores the request to stop is killed when its grace is over', async () => {
  const folder = temporaryFolder();
  const deaf = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); ready();`;
  const { supervisor } = supervise(folder, [child(folder, 'worker', deaf, { graceMs: 50 })]);
  await supervisor.start();
  const { worker = 0 } = supervisor.pids;
  await supervisor.stop();
  expect(startOf(worker)).toBeNull();
});

test('what is stopped while it starts ends without starting the rest', async () => {
  const folder = temporaryFolder();
  const { supervisor, until, story } = supervise(folder, [
    child(folder, 'temporal', 'setInterval(() => {}, 1000);'),
    child(folder, 'worker', STAYS, { after: ['temporal'] }),
  ]);
  const starting = supervisor.start();
  await until('temporal started');
  await supervisor.stop();
  await expect(starting).rejects.toThrow('stopped before it served');
  expect(story()).toEqual(['temporal started', 'temporal stopped']);
});

test('children that wait for each other are refused', () => {
  const spec = (name: string, after: string[]) => child('/', name, '', { after });
  expect(() => levelsOf([spec('a', ['b']), spec('b', ['a'])])).toThrow('a (after b); b (after a)');
  expect(() => levelsOf([spec('a', ['c'])])).toThrow('a (after c)');
});
