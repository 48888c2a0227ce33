import { expect, test } from 'vitest';
import { alphaOf } from '../../domain/statistics/alpha-spending.ts';
import { halfWidth } from '../../domain/statistics/confidence-sequence.ts';

test('all evaluations together have alpha, and after each one what is left is known', () => {
  let spent = 0;
  for (let nth = 1; nth <= 10_000; nth += 1) {
    spent += alphaOf(nth, 0.05);
    expect(Math.abs(0.05 - spent - 0.05 / (nth + 1))).toBeLessThan(1e-12);
  }
});

test('later ones take longer, but not much: the hundredth about three times as long', () => {
  const subjects = (alpha: number): number => halfWidth({ variance: 1, n: 1, alpha, planned: 1 }) ** 2;
  const times = (nth: number): number => subjects(alphaOf(nth, 0.05)) / subjects(0.05);
  expect([times(2), times(10), times(100)].map((value) => value.toFixed(1))).toEqual(['1.4', '2.1', '3.1']);
});
