import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalDraw } from '../../domain/beta.ts';
import { seeded } from '../../domain/random.ts';
import { halfWidth } from '../../domain/statistics/confidence-sequence.ts';
import { meansP, mixtureP, proportionsP, tau2For } from '../../domain/statistics/msprt.ts';

const { confidenceSequences, mixtures } = JSON.parse(
  readFileSync(new URL('../fixtures/statistics/sequences.json', import.meta.url), 'utf8'),
);
type Numbers = readonly [number, number, number, number, number];

test('the half width is the published formula', () => {
  for (const [variance, n, alpha, planned, expected] of confidenceSequences as readonly Numbers[]) {
    expect(Math.abs(halfWidth({ variance, n, alpha, planned }) / expected - 1), `n = ${n}`).toBeLessThan(1e-9);
  }
});

test('for its size it is narrowest at the number that was planned', () => {
  const scaled = (planned: number): number => halfWidth({ variance: 1 / 1_000, n: 1_000, alpha: 0.05, planned });
  for (const other of [100, 900, 1_100, 10_000]) expect(scaled(1_000)).toBeLessThan(scaled(other));
});

test('before the first subject it says nothing', () => {
  expect(halfWidth({ variance: 1, n: 0, alpha: 0.05, planned: 100 })).toBe(Number.POSITIVE_INFINITY);
});

test('of 1,000 sequences without an effect, few ever leave the truth out; of fixed intervals half of them do', () => {
  const random = seeded(7);
  let [outside, fixed] = [0, 0];
  for (let repeat = 0; repeat < 1_000; repeat += 1) {
    let sum = 0;
    let [left, leftFixed] = [false, false];
    for (let look = 1; look <= 200; look += 1) {
      // Ten subjects at once.
      sum += normalDraw(random) * Math.sqrt(10);
      const n = look * 10;
      const off = Math.abs(sum / n);
      left ||= off > halfWidth({ variance: 1 / n, n, alpha: 0.05, planned: 1_000 });
      leftFixed ||= off > 1.96 / Math.sqrt(n);
    }
    outside += left ? 1 : 0;
    fixed += leftFixed ? 1 : 0;
  }
  expect(outside).toBeLessThan(50);
  // Else so few looks would prove nothing.
  expect(outside).toBeGreaterThan(5);
  expect(fixed).toBeGreaterThan(400);
});

test('the p is one over the mixed likelihood ratio', () => {
  for (const [estimate, variance, tau2, expected] of mixtures as readonly Numbers[]) {
    expect(Math.abs(mixtureP({ estimate, variance, tau2 }) / expected - 1)).toBeLessThan(1e-9);
  }
});

test('p is below alpha exactly where the sequence of the same plan leaves zero out', () => {
  const positive = fc.double({ min: 1e-6, max: 1e3, noNaN: true });
  fc.assert(
    fc.property(
      fc.double({ min: -10, max: 10, noNaN: true }),
      positive,
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 10, max: 1_000_000 }),
      fc.constantFrom(0.1, 0.05, 0.001),
      (sds, variance, n, planned, alpha) => {
        const plan = { variance, n, alpha, planned };
        const half = halfWidth(plan);
        const estimate = sds * Math.sqrt(variance);
        fc.pre(Math.abs(Math.abs(estimate) / half - 1) > 1e-9);
        return mixtureP({ estimate, variance, tau2: tau2For(plan) }) < alpha === Math.abs(estimate) > half;
      },
    ),
  );
});

test('means and shares are tested by the variance of their difference', () => {
  const [a, b] = [
    { n: 100, mean: 1, variance: 4 },
    { n: 400, mean: 1.5, variance: 9 },
  ];
  expect(meansP(a, b, 0.3)).toBe(mixtureP({ estimate: 0.5, variance: 0.04 + 0.0225, tau2: 0.3 }));
  const share = 30 / 500;
  expect(proportionsP({ hits: 0, n: 100 }, { hits: 30, n: 400 }, 0.01)).toBeCloseTo(
    mixtureP({ estimate: 0.075, variance: share * (1 - share) * (1 / 100 + 1 / 400), tau2: 0.01 }),
    12,
  );
});

test('where nothing varies, zero is zero and the rest is certain; no number is no evidence', () => {
  expect(mixtureP({ estimate: 0, variance: 0, tau2: 1 })).toBe(1);
  expect(mixtureP({ estimate: 3, variance: 0, tau2: 1 })).toBe(0);
  expect(halfWidth({ variance: 0, n: 10, alpha: 0.05, planned: 100 })).toBe(0);
  expect(mixtureP({ estimate: 3, variance: Number.NaN, tau2: 1 })).toBe(1);
  expect(proportionsP({ hits: 0, n: 50 }, { hits: 0, n: 50 }, 1)).toBe(1);
  expect(proportionsP({ hits: 50, n: 50 }, { hits: 50, n: 50 }, 1)).toBe(1);
});
