import { describe, expect, test } from 'vitest';
import type { Reading, Vitals } from '../../contracts/vitals.ts';
import { judgeOffline } from '../../domain/verdict.ts';
import { judgeWatch } from '../../domain/watch.ts';

test.each([
  ['better', 'when the whole interval is above zero', { mean: 0.03, low: 0.01, high: 0.05, n: 300 }],
  ['worse', 'when the whole interval is below zero', { mean: -0.03, low: -0.05, high: -0.01, n: 300 }],
  ['not better', 'when any gain is surely too small to matter', { mean: 0, low: -0.01, high: 0.01, n: 300 }],
  ['inconclusive', 'when both nothing and a real gain are possible', { mean: 0.02, low: -0.02, high: 0.06, n: 300 }],
  ['inconclusive', 'with too few queries, however clear they look', { mean: 0.3, low: 0.2, high: 0.4, n: 29 }],
  ['not better', 'when nothing changes at all', { mean: 0, low: 0, high: 0, n: 300 }],
] as const)('an offline comparison is %s %s', (verdict, _, difference) => {
  const judged = judgeOffline(0.6, difference);
  expect(judged.verdict).toBe(verdict);
  expect(judged.reasons).toHaveLength(1);
});

describe('watching a challenger', () => {
  const reading = (value: number, n = 100, margin = 0.01): Reading => ({
    value,
    n,
    low: value - margin,
    high: value + margin,
  });
  const vitals = (readings: Vitals['readings']): Vitals => ({ service: 's', variant: 'v', from: '', to: '', readings });
  const rule = {
    samples: 50,
    maxDrop: 0.03,
    gates: [{ name: 'slow', metric: 'latency', rule: { above: 800 }, samples: 50, windowMs: 1, withinMs: 1 }],
  };
  const good = vitals({ ndcg: reading(0.8), errors: reading(0.01), latency: reading(100) });
  const state = (challenger: Vitals, champion = good) => judgeWatch(champion, challenger, rule).state;

  test('as good as the champion is healthy', () => expect(state(good)).toBe('healthy'));
  test('a worse ranking is degraded', () =>
    expect(state(vitals({ ...good.readings, ndcg: reading(0.7) }))).toBe('degraded'));
  test('more errors are degraded', () =>
    expect(state(vitals({ ...good.readings, errors: reading(0.1) }))).toBe('degraded'));
  test('a broken limit is degraded, but not where the champion breaks it too', () => {
    const slow = vitals({ ...good.readings, latency: reading(900) });
    expect(state(slow)).toBe('degraded');
    expect(state(slow, slow)).toBe('healthy');
  });
  test('too little data on either arm is not healthy', () => {
    const few = vitals({ ...good.readings, ndcg: reading(0.8, 49) });
    expect(state(few)).toBe('no data');
    expect(state(good, few)).toBe('no data');
    expect(state(vitals({}))).toBe('no data');
    expect(state(good, vitals({}))).toBe('no data');
  });
  test('more errors are seen even before there is enough to rank', () => {
    expect(state(vitals({ errors: reading(1, 60, 0.05) }))).toBe('degraded');
  });
});
