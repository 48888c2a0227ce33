import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Gate, Reading, Vitals } from '../../contracts/vitals.ts';
import { judgeGate } from '../../domain/gate.ts';

const gate = (rule: Gate['rule'], metric = 'ndcg'): Gate => ({
  name: 'g',
  metric,
  rule,
  samples: 30,
  windowMs: 1,
  withinMs: 1,
});
const reading = (value: number, margin = 0.01, n = 100): Reading => ({
  value,
  n,
  low: value - margin,
  high: value + margin,
});
const vitals = (readings: Vitals['readings']): Vitals => ({ service: 's', variant: null, from: '', to: '', readings });

describe('a gate on a drop', () => {
  const drop = gate({ drop: 0.03 });
  test.each([
    ['breaches on a large, certain drop', reading(0.7), reading(0.8), 'breach'],
    ['passes a small drop', reading(0.79, 0.0001), reading(0.8, 0.0001), 'pass'],
    ['passes a drop that its own noise explains', reading(0.7, 0.15), reading(0.8), 'pass'],
    ['passes a drop that the noise of the baseline explains', reading(0.7), reading(0.8, 0.15), 'pass'],
    ['passes a rise', reading(0.9), reading(0.8), 'pass'],
  ] as const)('%s', (_, now, base, state) => {
    expect(judgeGate(drop, vitals({ ndcg: now }), vitals({ ndcg: base })).state).toBe(state);
  });

  test.each([
    ['without a reading', vitals({}), vitals({ ndcg: reading(0.8) }), /no reading/],
    [
      'with too few samples',
      vitals({ ndcg: reading(0.1, 0.01, 29) }),
      vitals({ ndcg: reading(0.8) }),
      /29 samples.*30/,
    ],
    ['without a baseline', vitals({ ndcg: reading(0.1) }), null, /no baseline/],
    ['with a baseline of nothing', vitals({ ndcg: reading(0.1) }), vitals({ ndcg: reading(0, 0) }), /baseline .* is 0/],
  ] as const)('has no data %s', (_, now, base, because) => {
    const finding = judgeGate(drop, now, base);
    expect(finding.state).toBe('no data');
    expect(finding.because).toMatch(because);
  });

  test('knows for which metrics less is better', () => {
    const slower = gate({ drop: 0.1 }, 'latency');
    const base = vitals({ latency: reading(100, 1) });
    expect(judgeGate(slower, vitals({ latency: reading(150, 1) }), base).state).toBe('breach');
    expect(judgeGate(slower, vitals({ latency: reading(50, 1) }), base).state).toBe('pass');
  });
});

describe('a gate on an absolute limit', () => {
  test.each([
    [{ above: 800 }, 801, 'breach'],
    [{ above: 800 }, 800, 'pass'],
    [{ below: 0.7 }, 0.69, 'breach'],
    [{ below: 0.7 }, 0.7, 'pass'],
  ] as const)('%j at %d: %s', (rule, value, state) => {
    expect(judgeGate(gate(rule, 'x'), vitals({ x: reading(value) }), null).state).toBe(state);
  });
});

test('missing data never passes and never breaches, whatever else is known', () => {
  const value = fc.double({ min: 0.01, max: 1, noNaN: true });
  fc.assert(
    fc.property(value, value, fc.integer({ min: 0, max: 29 }), (now, base, n) => {
      const known = vitals({ ndcg: reading(base) });
      for (const rule of [{ drop: 0.03 }, { above: 0.5 }, { below: 0.5 }]) {
        expect(judgeGate(gate(rule), vitals({ ndcg: reading(now, 0.01, n) }), known).state).toBe('no data');
        expect(judgeGate(gate(rule), vitals({}), known).state).toBe('no data');
      }
    }),
  );
});
