import fc from 'fast-check';
import { expect, test } from 'vitest';
import { percentileReading } from '../../domain/intervals.ts';
import { ACCURACY, latencyHistogram, latencyReading, mergedLatencies } from '../../domain/latency-histogram.ts';

const latency = fc.double({ min: 1e-3, max: 86_400_000, noNaN: true });
const latencies = fc.array(latency, { minLength: 1, maxLength: 300 });
const share = fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1);

test('a quantile and its interval are off by at most the accuracy of themselves', () => {
  fc.assert(
    fc.property(latencies, share, (values, at) => {
      const [exact, found] = [percentileReading(values, at), latencyReading(latencyHistogram(values), at)];
      for (const part of ['value', 'low', 'high'] as const) {
        expect(Math.abs((found?.[part] ?? 0) / (exact?.[part] ?? 1) - 1)).toBeLessThanOrEqual(ACCURACY + 1e-9);
      }
      expect(found?.n).toBe(values.length);
    }),
  );
});

test('parts that are merged, in any order and through JSON, give what the whole gives', () => {
  fc.assert(
    fc.property(latencies, latencies, latencies, (a, b, c) => {
      const parts = [c, a, b].map((values) => JSON.parse(JSON.stringify(latencyHistogram(values))));
      expect(mergedLatencies(parts)).toEqual(latencyHistogram([...a, ...b, ...c]));
    }),
  );
});

test('it stays small, whatever it is given', () => {
  const values = Array.from({ length: 100_000 }, (_, n) => 1e-9 * 1.0005 ** n);
  const { n, buckets } = latencyHistogram(values);
  expect(n).toBe(100_000);
  expect(Object.keys(buckets).length).toBeLessThan(1_300);
});

test('what is shorter or longer than it can tell counts as the nearer end', () => {
  const at = (ms: number) => latencyReading(latencyHistogram([ms]), 0.5)?.value;
  expect(at(0)).toBe(at(1e-3));
  expect(at(1e12)).toBe(at(86_400_000));
});

test('without a latency there is no quantile', () => {
  expect(latencyReading(latencyHistogram([]), 0.5)).toBeNull();
});
