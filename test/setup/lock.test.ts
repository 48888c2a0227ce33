import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../infra/setup/lock.mjs';

const lockModule = new URL('../../infra/setup/lock.mjs', import.meta.url).href;
let folder: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pawl-lock-'));
  lock = join(folder, 'a.lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process of its own that takes the lock and does `work` (JavaScript) while it holds it. */
const contender = (work: string) =>
  spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { withLock } from ${JSON.stringify(lockModule)};
       import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
       await withLock(${JSON.stringify(lock)}, async () => { ${work} });`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );

test('of many processes that race for it, one at a time holds it', async () => {
  const inside = join(folder, 'inside');
  const log = join(folder, 'log');
  const work = `
    if (existsSync(${JSON.stringify(inside)})) throw new Error('two at once');
    writeFileSync(${JSON.stringify(inside)}, '');
    await new Promise((resolve) => setTimeout(resolve, 20));
    rmSync(${JSON.stringify(inside)});
    appendFileSync(${JSON.stringify(log)}, 'x');`;
  const codes = await Promise.all(Array.from({ length: 4 }, async () => (await once(contender(work), 'exit'))[0]));
  expect(codes).toEqual([0, 0, 0, 0]);
  expect(readFileSync(log, 'utf8')).toBe('xxxx');
  expect(existsSync(lock)).toBe(false);
});

test('the lock of a process that was killed is taken over, by one of those who wait', async () => {
  const holder = contender(`process.stdout.write('held'); setInterval(() => {}, 1000); await new Promise(() => {});`);
  await once(holder.stdout, 'data');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(existsSync(lock)).toBe(true);

  let inside = 0;
  const most: number[] = [];
  await Promise.all(
    [1, 2, 3].map(() =>
      withLock(lock, async () => {
        most.push(++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      }),
    ),
  );
  expect(most).toEqual([1, 1, 1]);
});

test('whoever waits is told which process holds it', async () => {
  const holder = contender(`process.stdout.write('held'); await new Promise((resolve) => setTimeout(resolve, 300));`);
  await once(holder.stdout, 'data');
  const told: number[] = [];
  await withLock(
    lock,
    () => {},
    ({ pid }) => told.push(pid),
  );
  expect(new Set(told)).toEqual(new Set([holder.pid]));
});

const HOUR_AGO = new Date(Date.now() - 3_600_000);
test.each([
  ['a process number that now belongs to another process', { pid: process.pid, host: hostname(), started: '1' }],
  ['another machine that fell silent', { pid: 1, host: 'elsewhere', started: '1' }],
])('a lock of %s is broken', async (_, holder) => {
  writeFileSync(lock, JSON.stringify({ id: 'x', ...holder }));
  utimesSync(lock, HOUR_AGO, HOUR_AGO);
  await expect(withLock(lock, () => 'mine')).resolves.toBe('mine');
});

test('a lock that a crash left half written is broken, and so is a guard left by one', async () => {
  for (const [file, text] of [[lock, '{"id":'] as const, [`${lock}.break`, ''] as const]) {
    writeFileSync(file, text);
    utimesSync(file, HOUR_AGO, HOUR_AGO);
  }
  await expect(withLock(lock, () => 'mine')).resolves.toBe('mine');
});

test('it is let go when the work fails', async () => {
  await expect(withLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(lock)).toBe(false);
});
