import { expect, test } from 'vitest';
import { runTask } from '../../adapters/threads.ts';
import { PawlError } from '../../contracts/failures.ts';
import { odd } from '../support/thread-task.ts';

test('a task reports its progress in order, and answers', async () => {
  const steps: number[] = [];
  expect(await runTask(odd, 'count', { onProgress: (step) => steps.push(step) })).toBe('done');
  expect(steps).toEqual([1, 2, 3]);
});

test('a task that ticks all the time is heard now and then, apart from its progress', async () => {
  let ticks = 0;
  const steps: number[] = [];
  await runTask(odd, 'tick', { onTick: () => ticks++, onProgress: (step) => steps.push(step) });
  expect(ticks).toBeGreaterThan(0);
  expect(ticks).toBeLessThan(1_000);
  expect(steps).toEqual([1, 2, 3]);
});

test('an error of the catalogue comes back as one', async () => {
  const error = await runTask(odd, 'refuse').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PawlError);
  expect(error).toMatchObject({ type: 'NoData', message: 'too little', hint: 'Bring more.' });
});

test('a defect comes back with its message, and with the stack of where it happened', async () => {
  const error = (await runTask(odd, 'break').catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ type: 'Internal', message: 'a defect' });
  expect(error.stack).toMatch('thread-task');
});

test('a thread that ends without an answer is an error, not a promise for ever', async () => {
  await expect(runTask(odd, 'vanish')).rejects.toThrow(/ended with code 3/);
});

test('a cancellation ends a thread that never looks up', async () => {
  const cancelling = new AbortController();
  const running = runTask(odd, 'spin', {
    signal: cancelling.signal,
    onProgress: (step) => step === 3 && cancelling.abort(new Error('enough')),
  });
  await expect(running).rejects.toThrow('enough');
});

test('what is cancelled beforehand does not start', async () => {
  await expect(runTask(odd, 'count', { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
});
