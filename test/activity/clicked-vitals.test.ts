import { describe, expect, test } from 'vitest';
import type { FeedbackStore } from '../../adapters/feedback/port.ts';
import type { ServedQuery } from '../../adapters/query-log/port.ts';
import { logVitals } from '../../adapters/vitals/log.ts';
import { seeded } from '../../domain/random.ts';
import { browsed, shuffled } from '../support/clicks.ts';

const window = { service: 'docs', from: 0, to: 10, variant: 'v' };
const served = (over: Partial<ServedQuery>): ServedQuery => ({
  ...{ at: 1, service: 'docs', variant: 'v', query: 'judged', ranked: ['a', 'b', 'c', 'd', 'e'], latencyMs: 10 },
  ...{ error: null, cost: 0.001, ...over },
});
const JUDGED = [{ id: '1', text: 'judged', judgements: { a: 1 } }];
const BEST = ['a', 'b', 'c', 'd', 'e'];
const queries = Array.from({ length: 8 }, (_, n) => `question ${n}`);
/** Users who like a best and e least. */
const clicks = (() => {
  const random = seeded(5);
  const users = {
    examination: [1, 0.7, 0.5, 0.4, 0.3],
    attraction: (_: string, id: string) => 0.8 * 0.5 ** BEST.indexOf(id),
  };
  return queries.flatMap((query) =>
    Array.from({ length: 600 }, () => browsed(users, { query, ranked: shuffled(BEST, random) }, random)),
  );
})();
const source = (rows: readonly ServedQuery[], received = clicks) => {
  const asked: unknown[] = [];
  const feedback: Pick<FeedbackStore, 'received'> = {
    received: async (filter) => {
      asked.push(filter);
      return received;
    },
  };
  const vitals = logVitals({ queryLog: { read: async () => rows }, judged: async () => JUDGED, feedback });
  return { asked, read: () => vitals.read(window) };
};
const unjudged = (ranked: readonly string[]) => queries.map((query) => served({ query, ranked }));

describe('quality from clicks', () => {
  test('is read of queries that nobody judged, under a name of its own, and leaves ndcg as it is', async () => {
    const rows = [...unjudged(BEST), served({}), served({ ranked: ['x', 'a'] })];
    const { readings, counts } = await source(rows).read();
    expect(readings.ndcg).toMatchObject({ n: 2, value: expect.closeTo((1 + 1 / Math.log2(3)) / 2) });
    expect(readings['ndcg-from-clicks']?.n).toBe(8);
    expect(readings['ndcg-from-clicks']?.value).toBeGreaterThan(0.95);
    expect(counts).toMatchObject({
      ndcg: { answered: 10, judged: 2 },
      errors: { requests: 10, failed: 0 },
      'ndcg-from-clicks': { impressions: 4_800, clicks: expect.any(Number), unjudged: 8 },
    });
  });

  test('tells a good ranking from a poor one', async () => {
    const [good, poor] = await Promise.all([BEST, BEST.toReversed()].map((ranked) => source(unjudged(ranked)).read()));
    expect(good?.readings['ndcg-from-clicks']?.low).toBeGreaterThan(poor?.readings['ndcg-from-clicks']?.high ?? 1);
  });

  test('is learned from the clicks on all variants of the default tenant', async () => {
    const { asked, read } = source(unjudged(BEST));
    await read();
    expect(asked).toEqual([{ service: 'docs', from: 0, to: 10, tenant: 'default', limit: expect.any(Number) }]);
  });

  test('is absent where the clicks are too few, and so are its counts', async () => {
    const { readings, counts } = await source(unjudged(BEST), clicks.slice(0, 20)).read();
    expect(readings).not.toHaveProperty('ndcg-from-clicks');
    expect(counts).not.toHaveProperty('ndcg-from-clicks');
  });
});

test('an answer that was put together of two variants says nothing of either', async () => {
  const rows = [served({}), served({}), served({ ranked: ['x'], teams: { v: ['x'], w: [] }, latencyMs: 9_000 })];
  const { readings } = await source(rows, []).read();
  expect(readings.ndcg).toMatchObject({ n: 2, value: 1 });
  expect(readings.latency).toMatchObject({ n: 2, value: 10 });
});

test('what is judged are the documents of the default tenant: queries of others are not held against them', async () => {
  const rows = [served({}), served({ tenant: 'default' }), served({ tenant: 'acme', ranked: ['theirs'] })];
  const { readings } = await source(rows, []).read();
  expect(readings.ndcg).toMatchObject({ n: 2, value: 1 });
  expect(readings.latency?.n).toBe(3);
});

test('the median and the 99th percentile are read beside the 95th, to one per cent', async () => {
  const { readings } = await source(
    Array.from({ length: 1_000 }, (_, n) => served({ latencyMs: n + 1 })),
    [],
  ).read();
  expect(readings.latency?.value).toBe(950);
  expect(Math.abs((readings['latency-p50']?.value ?? 0) / 500 - 1)).toBeLessThanOrEqual(0.01);
  expect(Math.abs((readings['latency-p99']?.value ?? 0) / 990 - 1)).toBeLessThanOrEqual(0.01);
});
