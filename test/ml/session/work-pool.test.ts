import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WorkPool } from '../../../ml/session/work-pool.ts';
import type { Answer, Job, Standing } from '../../support/odd-jobs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const module = new URL('../../support/odd-jobs.ts', import.meta.url);

const opened = async (size: number, standing: () => Standing = () => ({ word: 'said' })) => {
  const pool = await WorkPool.open<Job, Answer>({ module, standing, size });
  onTestFinished(() => pool.close());
  return pool;
};
const echo = (text: string): Job => ({ kind: 'echo', text });
const counter = () => new SharedArrayBuffer(4);

test('jobs are spread over the threads, and each gets its own answer', async () => {
  const pool = await opened(2);
  const texts = Array.from({ length: 20 }, (_, n) => `${n}`);
  const answers = await Promise.all(texts.map((text) => pool.run(echo(text))));
  expect(answers.map(({ said }) => said)).toEqual(texts.map((text) => `said ${text}`));
  expect(new Set(answers.map(({ thread }) => thread)).size).toBe(2);
});

test('a job that fails says so in the words of the catalogue, and its thread goes on', async () => {
  const pool = await opened(1);
  await expect(pool.run({ kind: 'refuse' })).rejects.toMatchObject({ type: 'NoData', hint: 'Bring more.' });
  expect(await pool.run(echo('on'))).toMatchObject({ said: 'said on' });
});

test('a thread that dies is replaced, and its job is done again', async () => {
  const pool = await opened(1);
  const { thread: before } = await pool.run(echo('first'));
  const again = await pool.run({ kind: 'vanish unless', mark: counter() });
  expect(again.said).toBe('said survived');
  expect(again.thread).not.toBe(before);
});

test('a job that takes two threads with it fails, and those that waited behind it are done', async () => {
  const pool = await opened(1);
  const [fatal, behind] = await Promise.allSettled([pool.run({ kind: 'vanish' }), pool.run(echo('behind'))]);
  expect(fatal).toMatchObject({
    status: 'rejected',
    reason: { message: expect.stringContaining('it left with code 3') },
  });
  expect(behind).toMatchObject({ status: 'fulfilled', value: { said: 'said behind' } });
});

test('what all threads were told is known to one that takes the place of another', async () => {
  let word = 'said';
  const pool = await opened(2, () => ({ word }));
  word = 'sang';
  await pool.tell({ kind: 'learn', word });
  expect((await pool.run({ kind: 'vanish unless', mark: counter() })).said).toBe('sang survived');
  const answers = await Promise.all(Array.from({ length: 8 }, () => pool.run(echo('on'))));
  expect(new Set(answers.map(({ said }) => said))).toEqual(new Set(['sang on']));
});

test('what was taken on before the pool was closed is answered, and nothing after it', async () => {
  const pool = await opened(1);
  const before = Promise.all([pool.run(echo('1')), pool.run({ kind: 'vanish unless', mark: counter() })]);
  let answered = false;
  void before.then(() => {
    answered = true;
  });
  const closing = pool.close().then(() => answered);
  await expect(pool.run(echo('2'))).rejects.toMatchObject({ type: 'Unavailable' });
  expect((await before).map(({ said }) => said)).toEqual(['said 1', 'said survived']);
  expect(await closing).toBe(true);
});

test('a pool whose threads cannot open says why', async () => {
  const needs = join(temporaryFolder(), 'model');
  await expect(opened(2, () => ({ word: 'said', needs }))).rejects.toMatchObject({ type: 'NotFound' });
});

test('when the last thread cannot be replaced, whoever waits is told why', async () => {
  const needs = join(temporaryFolder(), 'model');
  writeFileSync(needs, '');
  const pool = await opened(1, () => ({ word: 'said', needs }));
  rmSync(needs);
  const waiting = Promise.allSettled([pool.run({ kind: 'vanish' }), pool.run(echo('behind'))]);
  for (const outcome of await waiting) expect(outcome).toMatchObject({ reason: { type: 'NotFound' } });
  await expect(pool.run(echo('late'))).rejects.toMatchObject({ type: 'NotFound' });
});
