import { expect, onTestFinished, test } from 'vitest';
import type { QueryLog, ServedQuery } from '../../adapters/query-log/port.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { logVitals, MOST_SERVED } from '../../adapters/vitals/log.ts';

const served = (changes: Partial<ServedQuery>): ServedQuery => ({
  at: 1,
  service: 'docs',
  variant: 'v',
  query: 'how?',
  ranked: ['a'],
  latencyMs: 10,
  error: null,
  cost: 0.001,
  ...changes,
});
const source = (rows: readonly ServedQuery[]) =>
  logVitals({
    queryLog: { read: async () => rows },
    judged: async () => [{ id: '1', text: 'How?', judgements: { a: 1 } }],
  });
const window = { service: 'docs', from: 0, to: 10 };

test('without a request there is no reading at all', async () => {
  expect(await source([]).read(window)).toEqual({
    service: 'docs',
    variant: null,
    from: '1970-01-01T00:00:00.000Z',
    to: '1970-01-01T00:00:00.010Z',
    readings: {},
  });
});

test('quality is read from judged queries only, joined by their words', async () => {
  const rows = [served({ query: ' HOW ' }), served({ ranked: ['x', 'a'] }), served({ query: 'something else' })];
  const { readings } = await source(rows).read(window);
  expect(readings.ndcg).toMatchObject({ n: 2, value: expect.closeTo((1 + 1 / Math.log2(3)) / 2) });
  expect(readings.mrr).toMatchObject({ n: 2, value: 0.75 });
  expect(readings.recall).toMatchObject({ n: 2, value: 1 });
  expect(readings.errors).toMatchObject({ n: 3, value: 0 });
  expect(readings.cost).toMatchObject({ n: 3, value: expect.closeTo(1) });
});

test('a failed request is an error, and neither a bad ranking nor a fast answer', async () => {
  const rows = [served({}), served({}), served({ error: 'boom', ranked: [], latencyMs: 0 })];
  const { readings } = await source(rows).read(window);
  expect(readings.errors).toMatchObject({ n: 3, value: expect.closeTo(1 / 3) });
  expect(readings.ndcg).toMatchObject({ n: 2, value: 1 });
  expect(readings.latency).toMatchObject({ n: 2, value: 10 });
});

test('traffic that nobody judged has no quality, which is not a quality of 0', async () => {
  const { readings } = await source([served({ query: 'x' }), served({ query: 'y' })]).read(window);
  expect(readings.ndcg).toBeUndefined();
  expect(readings.latency?.n).toBe(2);
});

test('a busy window is read by its newest requests, so that a look stays short', async () => {
  const asked: Array<number | undefined> = [];
  const queryLog: Pick<QueryLog, 'read'> = {
    read: async ({ limit }) => {
      asked.push(limit);
      return [];
    },
  };
  await logVitals({ queryLog, judged: async () => [] }).read(window);
  expect(asked).toEqual([MOST_SERVED]);
});

test('what was mirrored is read where it is asked for, and never together with what was served', async () => {
  const queryLog = sqliteQueryLog(':memory:');
  onTestFinished(() => queryLog.close());
  const unseen = served({ latencyMs: 900, ranked: ['x', 'a'], mirrored: true, of: 'x' });
  await queryLog.append([served({}), served({}), unseen, unseen, { ...unseen, ranked: [], error: 'Unavailable' }]);
  const vitals = logVitals({ queryLog, judged: async () => [{ id: '1', text: 'How?', judgements: { a: 1 } }] });
  const read = async (mirrored?: boolean) =>
    (await vitals.read({ ...window, variant: 'v', ...(mirrored === undefined ? {} : { mirrored }) })).readings;
  const seen = { latency: { n: 2, value: 10 }, errors: { n: 2, value: 0 }, mrr: { n: 2, value: 1 } };
  expect(await read()).toMatchObject(seen);
  expect(await read(false)).toMatchObject(seen);
  const apart = { latency: { n: 2, value: 900 }, errors: { n: 3, value: expect.closeTo(1 / 3) } };
  expect(await read(true)).toMatchObject({ ...apart, mrr: { n: 2, value: 0.5 } });
});
