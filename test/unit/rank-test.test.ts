import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hodgesLehmann, mannWhitney, welch } from '../../domain/statistics/rank-test.ts';
import { shareDifference } from '../../domain/statistics/share-difference.ts';

interface RankCase {
  readonly name: string;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly u: number;
  readonly p: number;
  readonly asymptoticP: number;
  readonly shifts: ReadonlyArray<{ confidence: number; shift: number; low: number; high: number }>;
  readonly welch: { readonly t: number; readonly df: number; readonly p: number; low: number; high: number };
}
interface ShareCase {
  readonly a: { readonly hits: number; readonly n: number };
  readonly b: { readonly hits: number; readonly n: number };
  readonly confidence: number;
  readonly low: number;
  readonly high: number;
}
const { ranks, shares }: { readonly ranks: readonly RankCase[]; readonly shares: readonly ShareCase[] } = JSON.parse(
  readFileSync(new URL('../fixtures/statistics/tests.json', import.meta.url), 'utf8'),
);
/** Relative where it is large. */
const off = (found: number, expected: number): number => Math.abs(found - expected) / Math.max(1, Math.abs(expected));

describe.each(ranks)('$name: as SciPy and R have it', ({ a, b, u, p, asymptoticP, shifts, welch: expected }) => {
  test('U and its p-values', () => {
    expect(mannWhitney(a, b).u).toBe(u);
    expect(off(mannWhitney(a, b).p, p)).toBeLessThan(1e-9);
    expect(off(mannWhitney(a, b, 'asymptotic').p, asymptoticP)).toBeLessThan(1e-9);
  });

  test('the shift and its intervals', () => {
    for (const { confidence, shift, low, high } of shifts) {
      const found = hodgesLehmann(a, b, confidence);
      expect(off(found.shift, shift)).toBeLessThan(1e-9);
      expect(off(found.low, low)).toBeLessThan(1e-9);
      expect(off(found.high, high)).toBeLessThan(1e-9);
    }
  });

  test("Welch's t, its degrees of freedom, p and interval", () => {
    const found = welch(a, b, 0.98);
    for (const figure of ['t', 'df', 'p', 'low', 'high'] as const) {
      expect(off(found?.[figure] ?? Number.NaN, expected[figure])).toBeLessThan(1e-9);
    }
  });
});

test('the interval of a difference of shares is that of Newcombe, as statsmodels has it', () => {
  for (const { a, b, confidence, low, high } of shares) {
    const found = shareDifference(a, b, confidence);
    expect(found.difference).toBe(a.hits / a.n - b.hits / b.n);
    expect(off(found.low, low)).toBeLessThan(1e-9);
    expect(off(found.high, high)).toBeLessThan(1e-9);
  }
});

const values = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 30 });
test('the shift is the median of all differences, ties and all', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const all = a.flatMap((x) => b.map((y) => x - y)).sort((x, y) => x - y);
      const middle = ((all[(all.length - 1) >> 1] ?? 0) + (all[all.length >> 1] ?? 0)) / 2;
      expect(hodgesLehmann(a, b, 0.9).shift).toBeCloseTo(middle, 12);
    }),
  );
});

test('whoever swaps the sides gets the same p, and the other sign', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      expect(mannWhitney(a, b).p).toBeCloseTo(mannWhitney(b, a).p, 12);
      expect(mannWhitney(a, b).u + mannWhitney(b, a).u).toBe(a.length * b.length);
      const [one, other] = [hodgesLehmann(a, b, 0.8), hodgesLehmann(b, a, 0.8)];
      expect(one.shift + other.shift).toBeCloseTo(0, 12);
      expect(one.low).toBe(0 - other.high);
    }),
  );
});

test('two values on a side are too few for 95 %: the interval is everything', () => {
  expect(hodgesLehmann([1, 2], [3, 4], 0.95)).toMatchObject({ shift: -2, low: -Infinity, high: Infinity });
  expect(hodgesLehmann([1, 2], [3, 4], 0.6)).toMatchObject({ low: -3, high: -1 });
});

test('values that are all the same show no difference, and a constant one is certain', () => {
  expect(mannWhitney([5, 5, 5], [5, 5]).p).toBe(1);
  expect(welch([5, 5, 5], [5, 5], 0.95)).toMatchObject({ difference: 0, low: 0, high: 0, p: 1 });
  expect(welch([7, 7, 7], [5, 5], 0.95)).toMatchObject({ difference: 2, low: 2, high: 2, p: 0 });
  expect(welch([7], [5, 5], 0.95)).toBeNull();
});

test('four million differences are never listed: 2,000 against 2,000 need no memory to speak of', () => {
  const a = Array.from({ length: 2_000 }, (_, i) => ((i * 7_919) % 2_003) ** 1.5);
  const b = Array.from({ length: 2_000 }, (_, i) => ((i * 104_729) % 1_999) ** 1.5);
  const before = process.memoryUsage();
  const { shift, low, high } = hodgesLehmann(a, b, 0.98);
  const after = process.memoryUsage();
  expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(8_000_000);
  expect(low).toBeLessThan(shift);
  expect(high).toBeGreaterThan(shift);
});
