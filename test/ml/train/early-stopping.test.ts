import { expect, test } from 'vitest';
import { NO_PROGRESS, outOfPatience, type Progress, progressed } from '../../../ml/train/early-stopping.ts';

const after = (...figures: number[]): Progress =>
  figures.reduce((p, figure, n) => progressed(p, n + 1, figure), NO_PROGRESS);

test('the best evaluation is kept with its step, the first of equals', () => {
  expect(after(0.3, 0.5, 0.5, 0.4)).toEqual({ best: 0.5, bestStep: 2, without: 2 });
});

test('patience ends after so many evaluations in a row without a gain', () => {
  expect(outOfPatience(after(0.5, 0.4), 2)).toBe(false);
  expect(outOfPatience(after(0.5, 0.4, 0.4), 2)).toBe(true);
  expect(outOfPatience(after(0.5, 0.4, 0.6, 0.4), 2)).toBe(false);
});

test('a patience of 0 never ends', () => {
  expect(outOfPatience(after(0.5, 0.4, 0.3, 0.2, 0.1), 0)).toBe(false);
});

test('a figure that is no number is no gain, not even as the first one', () => {
  expect(after(Number.NaN, 0.2, Number.NaN)).toEqual({ best: 0.2, bestStep: 2, without: 1 });
});
