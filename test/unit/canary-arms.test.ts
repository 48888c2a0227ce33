import { expect, test } from 'vitest';
import type { Measurement } from '../../contracts/canary.ts';
import { malformed } from '../../domain/traffic.ts';
import { armsOf, sameArms } from '../../workflows/canary/arms.ts';
import { charted } from '../../workflows/canary/memory.ts';

const VARIANTS = { champion: 'old', challenger: 'new' };
const arms = (weight: number, mirror = 0, twin: string | null = null) => armsOf(VARIANTS, { weight, mirror, twin });

test('the champion has what the challenger has not', () => {
  expect(arms(0.1)).toEqual([
    { variant: 'old', share: 0.9 },
    { variant: 'new', share: 0.1 },
  ]);
  expect(arms(1)).toEqual([{ variant: 'new', share: 1 }]);
  expect(arms(0)).toEqual([{ variant: 'old', share: 1 }]);
});

test('a mirrored challenger answers nobody', () => {
  expect(arms(0, 0.2)).toEqual([
    { variant: 'old', share: 1 },
    { variant: 'new', share: 0, mirror: 0.2 },
  ]);
});

test('a twin gets what the challenger gets, and of more than half what is left', () => {
  expect(arms(0.2, 0, 'twin')).toEqual([
    { variant: 'old', share: 0.6 },
    { variant: 'new', share: 0.2 },
    { variant: 'twin', share: 0.2 },
  ]);
  expect(arms(0.75, 0, 'twin')).toEqual([
    { variant: 'new', share: 0.75 },
    { variant: 'twin', share: 0.25 },
  ]);
  expect(arms(1, 0, 'twin')).toEqual([{ variant: 'new', share: 1 }]);
});

test('whatever the weight, it is a change that the store takes', () => {
  for (let weight = 0; weight <= 1; weight += 0.001)
    for (const twin of [null, 'twin'])
      expect(malformed({ arms: arms(weight, 0, twin), token: { epoch: 0, promotion: 0 } } as never)).toBeNull();
});

test('the same arms are the same in whatever order, and nothing else is', () => {
  expect(sameArms(arms(0.1), arms(0.1).toReversed())).toBe(true);
  expect(sameArms(arms(0.1), [...arms(0.1), { variant: 'gone', share: 0 }])).toBe(true);
  expect(sameArms(arms(0.1), arms(0.2))).toBe(false);
  expect(sameArms(arms(0.1), arms(0.1, 0.3))).toBe(false);
  expect(sameArms(arms(1), [{ variant: 'old', share: 1 }])).toBe(false);
});

test('a picture of a metric stays small, and ends with the newest value', () => {
  const point = (name: string, value: number): Measurement => ({
    ...{ name, at: '2026-11-21T12:00:00.000Z', baseline: null, error: null },
    result: { value, low: null, high: null, n: 1 },
  });
  let chart: readonly Measurement[] = [];
  for (let n = 1; n <= 1_000; n++) chart = charted(chart, [point('errors', n), ...(n <= 5 ? [point('rare', n)] : [])]);
  const values = (of: string) => chart.filter(({ name }) => name === of).map(({ result }) => result?.value ?? 0);
  expect(values('errors').length).toBeGreaterThan(50);
  expect(values('errors').length).toBeLessThanOrEqual(120);
  expect(values('errors').at(-1)).toBe(1_000);
  expect(values('errors')).toEqual(values('errors').toSorted((a, b) => a - b));
  expect(values('rare')).toEqual([1, 2, 3, 4, 5]);
});
