import { expect, test } from 'vitest';
import { learningRateAt } from '../../../ml/train/schedule.ts';

const at =
  (decay: 'linear' | 'cosine' | 'none', warmup = 4) =>
  (step: number) =>
    learningRateAt({ learningRate: 1, warmup, decay }, step, 12);

test('the learning rate rises over the warm-up, and none of its steps is lost on a rate of 0', () => {
  expect([0, 1, 2, 3, 4].map(at('none'))).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
});

test('linear decay falls evenly, to 0 after the last step', () => {
  expect([4, 6, 8, 10, 12].map(at('linear'))).toEqual([1, 0.75, 0.5, 0.25, 0]);
});

test('cosine decay is at its half in the middle, and 0 after the last step', () => {
  expect([4, 6, 8, 12].map(at('cosine')).map((rate) => Number(rate.toFixed(4)))).toEqual([1, 0.8536, 0.5, 0]);
});

test('steps beyond the planned ones keep a rate of 0, and a warm-up as long as the training is no division by zero', () => {
  expect(at('linear')(40)).toBe(0);
  expect(at('cosine', 12)(12)).toBe(1);
});
