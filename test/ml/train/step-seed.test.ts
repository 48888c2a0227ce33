import { expect, test } from 'vitest';
import { stepSeed } from '../../../ml/train/step-seed.ts';

test('every seed, step and part of a batch drops inputs of its own, the same ones each time', () => {
  const all = [7, 8].flatMap((seed) => [0, 1].flatMap((step) => [0, 1].map((part) => stepSeed(seed, step, part))));
  expect(new Set(all).size).toBe(8);
  expect(stepSeed(7, 1, 0)).toBe(stepSeed(7, 1, 0));
});
