import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalDraw } from '../../domain/beta.ts';
import { ACCURACY, latencyBounds, latencyHistogram, mergedLatencies } from '../../domain/latency-histogram.ts';
import { seeded } from '../../domain/random.ts';
import { quantileChange, quantileRanks, quantileReading } from '../../domain/statistics/quantile-sequence.ts';

const { quantileRanks: expected } = JSON.parse(
  readFileSync(new URL('../fixtures/statistics/sequences.json', import.meta.url), 'utf8'),
);

test('the ranks are those between which no count is refused, tried one by one', () => {
  for (const [n, share, alpha, planned, low, high] of expected) {
    expect(quantileRanks(n, { share, alpha, planned }), `${n} at ${share}`).toEqual({ low, high });
  }
});

/** Over all paths of coin throws, the probability that the count has ever been outside its ranks by n. */
const everMissed = (n: number, share: number, alpha: number): number => {
  let paths = [1];
  let missed = 0;
  for (let thrown = 1; thrown <= n; thrown += 1) {
    const { low, high } = quantileRanks(thrown, { share, alpha, planned: n / 2 });
    const next: number[] = Array(thrown + 1).fill(0);
    paths.forEach((p, below) => {
      next[below] = (next[below] ?? 0) + p * (1 - share);
      next[below + 1] = (next[below + 1] ?? 0) + p * share;
    });
    paths = next.map((p, below) => {
      if (below >= low && below < high) return p;
      missed += p;
      return 0;
    });
  }
  return missed;
};

test('looked at after every value, the ranks miss the quantile at any time with less than alpha, counted exactly', () => {
  for (const share of [0.5, 0.95]) {
    const missed = everMissed(1_000, share, 0.05);
    expect(missed).toBeLessThan(0.05);
    expect(missed).toBeGreaterThan(0.015);
  }
});

test('the bounds of a rank hold the latency that has it', () => {
  const latency = fc.double({ min: 1e-3, max: 86_400_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(latency, { minLength: 1, maxLength: 200 }), (values) => {
      const histogram = latencyHistogram(values);
      values
        .toSorted((a, b) => a - b)
        .forEach((value, i) => {
          const { low, high } = latencyBounds(histogram, i + 1) ?? { low: 0, high: 0 };
          expect(low * (1 - 1e-12)).toBeLessThanOrEqual(value);
          expect(high * (1 + 1e-12)).toBeGreaterThanOrEqual(value);
          expect(high / low - 1).toBeLessThan(2.1 * ACCURACY);
        });
      expect(latencyBounds(histogram, 0)).toBeNull();
      expect(latencyBounds(histogram, values.length + 1)).toBeNull();
    }),
  );
});

const plan = { share: 0.95, alpha: 0.05, planned: 2_000 };
const latencies = (random: () => number, n: number, slower = 1): number[] =>
  Array.from({ length: n }, () => 40 * slower * Math.exp(0.8 * normalDraw(random)));

test('of a stream of latencies in parts, the interval holds the true percentile at all looks at once', () => {
  const random = seeded(9);
  const truth = 40 * Math.exp(0.8 * 1.6448536269514722);
  let missed = 0;
  for (let repeat = 0; repeat < 100; repeat += 1) {
    let seen = latencyHistogram([]);
    let left = false;
    for (let look = 0; look < 40; look += 1) {
      seen = mergedLatencies([seen, latencyHistogram(latencies(random, 100))]);
      const reading = quantileReading(seen, plan);
      left ||= reading !== null && (reading.low > truth || reading.high < truth);
    }
    missed += left ? 1 : 0;
    const reading = quantileReading(seen, plan);
    expect((reading?.high ?? 9) / (reading?.low ?? 1)).toBeLessThan(1.4);
  }
  expect(missed).toBeLessThanOrEqual(5);
});

test('a challenger that is half as slow again is seen to be, one that is not is not', () => {
  const random = seeded(10);
  const [a, same, slow] = [1, 1, 1.5].map((slower) => latencyHistogram(latencies(random, 4_000, slower)));
  if (!a || !same || !slow) throw new Error('There are three.');
  const [equal, slower] = [quantileChange(a, same, plan), quantileChange(a, slow, plan)];
  expect(equal?.low).toBeLessThan(0);
  expect(equal?.high).toBeGreaterThan(0);
  expect(slower?.low).toBeGreaterThan(0.1);
  expect(slower?.value).toBeCloseTo(0.5, 0);
  expect(slower?.n).toBe(8_000);
});

test('too few values for an end are no reading', () => {
  const few = latencyHistogram(latencies(seeded(11), 60));
  expect(quantileReading(few, plan)).toBeNull();
  expect(quantileReading(latencyHistogram([]), plan)).toBeNull();
  expect(quantileChange(few, few, plan)).toBeNull();
});
