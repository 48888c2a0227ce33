/** gc while others write, and gc that dies in the middle. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { trashPath } from '../../adapters/artifacts/paths.ts';
import { moveAside } from '../../adapters/keeping/trash.ts';
import { DAY, keptHome } from './home.ts';

const started = (file: string, ...args: readonly string[]): ChildProcess => {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};
const trashOf = ({ paths }: { paths: { artifacts: string } }): string[] =>
  existsSync(join(paths.artifacts, '.trash')) ? readdirSync(join(paths.artifacts, '.trash')) : [];

test('bytes that are put again before they are moved aside stay: putting makes them young', async () => {
  const home = await keptHome();
  const orphan = await home.old({ orphan: true });
  const meanwhile = async (moment: string) => {
    if (moment === 'looked') await home.artifacts.putJson({ orphan: true });
  };
  expect((await home.gc({ meanwhile })).digests).toEqual([]);
  expect(home.has(orphan)).toBe(true);
});

test('bytes that are put while the old file is aside are a file of their own', async () => {
  const home = await keptHome();
  const orphan = await home.old({ orphan: true });
  const meanwhile = async (moment: string) => {
    if (moment === 'moved') await home.artifacts.putJson({ orphan: true });
  };
  await home.gc({ meanwhile });
  expect(await home.artifacts.getJson(orphan)).toEqual({ orphan: true });
  expect((await home.gc()).digests).toEqual([]);
});

test('what a row names while it is aside is put back, and is found all the time', async () => {
  const home = await keptHome();
  const part = await home.old({ part: true });
  const whole = await home.old({ whole: part });
  const meanwhile = async (moment: string) => {
    if (moment !== 'moved') return;
    expect(home.has(part)).toBe(false);
    expect(await home.artifacts.getJson(part)).toEqual({ part: true });
    await home.note({ body: { evidence: whole } });
  };
  expect((await home.gc({ meanwhile })).digests).toEqual([]);
  expect([part, whole].map(home.has)).toEqual([true, true]);
  expect(trashOf(home)).toEqual([]);
});

test('nothing that a process was told is there is ever missing, while gc runs again and again', async () => {
  const home = await keptHome();
  const putter = started('putter.ts', home.paths.artifacts, '20');
  const ended = once(putter, 'exit').then(() => 'ended');
  await once(createInterface({ input: putter.stdout ?? process.stdin }), 'line');
  let removed = 0;
  for (let run = 0; run < 25 || removed < 10; run++) {
    home.clock.now = Date.now();
    removed += (await home.gc({ olderThanMs: DAY })).digests.length;
    expect(await Promise.race([ended, 'running'])).toBe('running');
  }
  expect(trashOf(home)).toEqual([]);
});

test('gc that was killed leaves whole files aside; they are found there, and the next run puts them back', async () => {
  const home = await keptHome();
  const [named, orphan] = [await home.old({ named: true }), await home.old({ orphan: true })];
  await home.note({ body: { evidence: named } });
  for (const { sha256 } of [named, orphan]) await moveAside(home.paths.artifacts, sha256);
  expect(await home.artifacts.getJson(named)).toEqual({ named: true });
  expect((await home.gc()).digests).toEqual([orphan.sha256]);
  expect(home.has(named)).toBe(true);
  expect(trashOf(home)).toEqual([]);
});

test.each(['looked', 'moved', 'told'])('kill -9 after it has %s: the next run ends what it began', async (moment) => {
  const home = await keptHome();
  const named = await home.old({ named: true });
  await home.note({ body: { evidence: named } });
  const orphans = [await home.old({ orphan: 1 }), await home.old({ orphan: 2 })];
  const child = started('killed-gc.ts', home.home, moment);
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  expect(existsSync(trashPath(home.paths.artifacts, orphans[0]?.sha256 ?? ''))).toBe(moment !== 'looked');
  const { digests } = await home.gc();
  expect(digests).toEqual(orphans.map(({ sha256 }) => sha256).sort());
  expect(home.has(named)).toBe(true);
  expect(orphans.map(home.has)).toEqual([false, false]);
  // Nothing goes without a row; a row may tell what went with the next one.
  expect(await home.control.ledger({ kind: 'gc' })).toHaveLength(moment === 'told' ? 2 : 1);
});
