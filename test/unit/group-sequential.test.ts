import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundaries, crossed, SPENDINGS, type Spending } from '../../domain/statistics/group-sequential.ts';

const { groupSequential } = JSON.parse(
  readFileSync(new URL('../fixtures/statistics/sequences.json', import.meta.url), 'utf8'),
);
const evenly = (looks: number): number[] => Array.from({ length: looks }, (_, i) => (i + 1) / looks);
const last = (values: readonly number[]): number => values.at(-1) ?? Number.NaN;

test('the boundaries are those that Reboussin, DeMets, Kim and Lan publish for five looks', () => {
  const found = (spending: Spending): number[] => boundaries({ looks: evenly(5), alpha: 0.05, spending });
  const published = {
    'obrien-fleming': [4.8769, 3.357, 2.6803, 2.2898, 2.031],
    pocock: [2.438, 2.4268, 2.4102, 2.3966, 2.386],
  };
  for (const spending of SPENDINGS) {
    found(spending).forEach((bound, i) => {
      expect(Math.abs(bound - (published[spending][i] ?? 0))).toBeLessThan(6e-5);
    });
  }
});

test("Pocock's and O'Brien and Fleming's own constants are, to the last digit, those of Jennison and Turnbull", () => {
  const published = {
    pocock: { 2: 2.178, 3: 2.289, 4: 2.361, 5: 2.413, 10: 2.555, 20: 2.672 },
    fleming: { 2: 1.977, 3: 2.004, 4: 2.024, 5: 2.04, 10: 2.087, 20: 2.126 },
  };
  for (const [form, constants] of Object.entries(published)) {
    for (const [looks, constant] of Object.entries(constants)) {
      const error = (at: number): number => {
        const bounds = evenly(+looks).map((t) => (form === 'pocock' ? at : at / Math.sqrt(t)));
        return last(crossed(evenly(+looks), bounds));
      };
      expect(error(constant - 0.0006)).toBeGreaterThan(0.05);
      expect(error(constant + 0.0006)).toBeLessThan(0.05);
    }
  }
});

test('at three uneven looks they are what the joint normal distribution gives', () => {
  for (const [looks, alpha, spending, expected] of groupSequential.solved) {
    boundaries({ looks, alpha, spending }).forEach((bound, i) => {
      expect(Math.abs(bound / expected[i] - 1), `${spending} ${looks}`).toBeLessThan(1e-9);
    });
  }
});

test("at five looks the error is what SciPy's multivariate normal gives", () => {
  for (const [looks, bounds, expected] of groupSequential.crossings) {
    expect(Math.abs(last(crossed(looks, bounds)) - expected)).toBeLessThan(2e-6);
  }
});

test('whatever the looks, all of alpha is spent by the end and never more', () => {
  const looks = fc
    .uniqueArray(fc.integer({ min: 1, max: 999 }), { maxLength: 12 })
    .map((parts) => [...parts.toSorted((a, b) => a - b).map((part) => part / 1_000), 1]);
  fc.assert(
    fc.property(looks, fc.constantFrom(0.1, 0.05, 0.001), fc.constantFrom(...SPENDINGS), (at, alpha, spending) => {
      expect(Math.abs(last(crossed(at, boundaries({ looks: at, alpha, spending }))) / alpha - 1)).toBeLessThan(1e-9);
    }),
    { numRuns: 40 },
  );
});

test('a look that is added later leaves the boundaries before it as they were', () => {
  const at = (looks: readonly number[]): number[] => boundaries({ looks, alpha: 0.05, spending: 'obrien-fleming' });
  expect(at([0.2, 0.5, 0.6]).slice(0, 2)).toEqual(at([0.2, 0.5]));
});

test('a look with nothing new, one too early to matter and one past the end decide nothing and cost nothing', () => {
  const at = (looks: readonly number[]): number[] => boundaries({ looks, alpha: 0.05, spending: 'obrien-fleming' });
  const never = Number.POSITIVE_INFINITY;
  const plain = at([0.5, 1]);
  expect(at([0, 0.01, 0.5, 0.5, 0.500_01, 1, 1.2])).toEqual([never, never, plain[0], never, never, plain[1], never]);
});

test('200 looks are bounded too, each a little less strict than the one before', () => {
  const found = boundaries({ looks: evenly(200), alpha: 0.05, spending: 'pocock' });
  expect(found.every((bound, i) => i === 0 || bound < (found[i - 1] ?? 0))).toBe(true);
  expect(last(crossed(evenly(200), found))).toBeCloseTo(0.05, 9);
});
