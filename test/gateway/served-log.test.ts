import { expect, test } from 'vitest';
import type { ServedQuery } from '../../adapters/query-log/port.ts';
import { PawlError } from '../../contracts/failures.ts';
import { createServedLog } from '../../gateway/served-log.ts';

const row = (at: number): ServedQuery => ({
  at,
  service: 'docs',
  variant: 'v',
  query: 'q',
  ranked: [],
  latencyMs: 1,
  error: null,
  cost: 0,
});

/** A log that can be told to refuse. */
const scripted = () => {
  const taken: number[][] = [];
  let refusal: PawlError | null = null;
  let meanwhile = () => {};
  const log = {
    append: async (rows: readonly ServedQuery[]) => {
      meanwhile();
      if (refusal) throw refusal;
      taken.push(rows.map(({ at }) => at));
    },
  };
  const troubles: unknown[] = [];
  const served = createServedLog({ log, onTrouble: (error) => troubles.push(error) });
  return {
    served,
    taken,
    troubles,
    refuse: (error: PawlError | null, then = () => {}) => {
      refusal = error;
      meanwhile = then;
    },
  };
};
const busy = new PawlError('StoreBusy', 'busy');

test('rows go to the log together, in their order, and by themselves soon after the first', async () => {
  const { served, taken } = scripted();
  for (const at of [1, 2, 3]) served.add(row(at));
  expect(taken).toEqual([]);
  await expect.poll(() => taken).toEqual([[1, 2, 3]]);
});

test('what a busy log did not take is offered again, before what came meanwhile', async () => {
  const { served, taken, troubles, refuse } = scripted();
  refuse(busy, () => served.add(row(2)));
  served.add(row(1));
  await served.flush();
  refuse(null);
  await served.flush();
  expect(taken).toEqual([[1, 2]]);
  expect(troubles).toEqual([busy]);
  expect(served.dropped()).toBe(0);
});

test('a log that stays busy costs the oldest rows over the bound, and they are counted', async () => {
  const { served, taken, refuse } = scripted();
  refuse(busy);
  for (let at = 1; at <= 9_000; at += 1) served.add(row(at));
  await served.flush();
  for (let at = 9_001; at <= 10_005; at += 1) served.add(row(at));
  expect(served.dropped()).toBe(5);
  refuse(null);
  await served.flush();
  expect(taken.flat()).toHaveLength(10_000);
  expect(taken.flat()[0]).toBe(6);
});

test('rows that the log will never take are dropped, and counted', async () => {
  const { served, taken, refuse } = scripted();
  refuse(new PawlError('Usage', 'no number'));
  served.add(row(1));
  await served.flush();
  refuse(null);
  served.add(row(2));
  await served.flush();
  expect(taken).toEqual([[2]]);
  expect(served.dropped()).toBe(1);
});

test('closing offers what is left once more, and counts what cannot be kept', async () => {
  const kept = scripted();
  kept.served.add(row(1));
  await kept.served.close();
  expect(kept.taken).toEqual([[1]]);

  const lost = scripted();
  lost.refuse(busy);
  lost.served.add(row(1));
  await lost.served.close();
  expect(lost.served.dropped()).toBe(1);
});
