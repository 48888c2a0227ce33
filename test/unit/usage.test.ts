import { expect, test } from 'vitest';
import { cpuUsage, withUsage } from '../../domain/usage.ts';

test('what stages used adds up, each kind on its own', () => {
  const first = withUsage({}, { cpuSeconds: 60, cents: 0.5 });
  expect(withUsage(withUsage(first, undefined), { cents: 1, gpuSeconds: 30 })).toEqual({
    cpuSeconds: 60,
    gpuSeconds: 30,
    cents: 1.5,
  });
});

test.each([
  ['negative', -1],
  ['no number', Number.NaN],
  ['without end', Number.POSITIVE_INFINITY],
  ['a text', '5'],
])('an amount that is %s counts as nothing', (_, cents) => {
  expect(withUsage({ cents: 2 }, { cents: cents as number })).toEqual({ cents: 2 });
});

test('an hour of CPU costs what the configuration says, and nothing is made up where it says nothing', () => {
  expect(cpuUsage(3_600_000, 0.04)).toEqual({ cpuSeconds: 3_600, cents: 4 });
  expect(cpuUsage(1_500, null)).toEqual({ cpuSeconds: 1.5 });
});
