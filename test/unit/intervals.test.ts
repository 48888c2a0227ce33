import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pairedDifference } from '../../domain/bootstrap.ts';
import { meanReading, percentileReading, shareReading } from '../../domain/intervals.ts';
import { seeded } from '../../domain/random.ts';

test('one value alone is no reading of a mean, because it says nothing about its noise', () => {
  expect(meanReading([])).toBeNull();
  expect(meanReading([0.5])).toBeNull();
  expect(meanReading([1, 2, 3])).toEqual({
    value: 2,
    n: 3,
    low: expect.closeTo(0.868, 3),
    high: expect.closeTo(3.132, 3),
  });
});

test('a share without a hit still has an upper bound, as Wilson has it', () => {
  expect(shareReading(0, 0)).toBeNull();
  expect(shareReading(0, 10)).toEqual({ value: 0, n: 10, low: 0, high: expect.closeTo(0.2775, 4) });
  expect(shareReading(10, 10)?.low).toBeCloseTo(0.7225, 4);
});

test('a percentile lies between order statistics of the same values', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentileReading(values, 0.95)).toEqual({ value: 95, n: 100, low: 90, high: 100 });
  expect(percentileReading([], 0.95)).toBeNull();
});

test('every interval holds its value and is plain JSON', () => {
  const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(values, (sample) => {
      for (const reading of [meanReading(sample), percentileReading(sample, 0.95), shareReading(1, sample.length)]) {
        expect(reading?.low).toBeLessThanOrEqual((reading?.value ?? 0) + 1e-12);
        expect(reading?.high).toBeGreaterThanOrEqual((reading?.value ?? 0) - 1e-12);
        expect(JSON.parse(JSON.stringify(reading))).toEqual(reading);
      }
    }),
  );
});

test('the bootstrap gives the same interval for the same seed', () => {
  const before = [0.1, 0.4, 0.3, 0.9, 0.2];
  const after = [0.3, 0.4, 0.5, 0.8, 0.6];
  expect(pairedDifference(before, after, { seed: 5 })).toEqual(pairedDifference(before, after, { seed: 5 }));
  expect(pairedDifference(before, after, { seed: 5 })).not.toEqual(pairedDifference(before, after, { seed: 6 }));
});

test('the bootstrap pairs: a constant gain is certain however much the queries differ', () => {
  const random = seeded(1);
  const before = Array.from({ length: 50 }, random);
  const { mean, low, high } = pairedDifference(
    before,
    before.map((value) => value + 0.01),
    { seed: 1 },
  );
  for (const value of [mean, low, high]) expect(value).toBeCloseTo(0.01, 10);
});

test('the bootstrap interval holds the true difference about 95 times in 100', () => {
  const random = seeded(3);
  let held = 0;
  for (let round = 0; round < 200; round++) {
    const before = Array.from({ length: 60 }, random);
    const after = before.map((value) => value + 0.1 + (random() - 0.5));
    const { low, high } = pairedDifference(before, after, { seed: round, resamples: 500 });
    if (low <= 0.1 && 0.1 <= high) held++;
  }
  expect(held).toBeGreaterThanOrEqual(180);
  expect(held).toBeLessThanOrEqual(199);
});

test('scores that do not pair are refused', () => {
  expect(() => pairedDifference([1], [1, 2], { seed: 1 })).toThrow('1 scores before, 2 after');
});
