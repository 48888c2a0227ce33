import { expect, test } from 'vitest';
import { AdamW } from '../../../ml/train/adamw.ts';
import { clipping, normOf } from '../../../ml/train/gradient.ts';

/** Slopes from 0.01 to 10, of changing sign. */
const slopes = (step: number): Float32Array =>
  Float32Array.from([0, 1, 2, 3], (i) => ((((step * 7 + i * 3) % 11) - 5) / 4) * 10 ** (i - 2));

test('20 steps with a falling learning rate and weight decay end where torch.optim.AdamW ends', () => {
  const parameters = new Float32Array([0.5, -1, 2, 0]);
  const optimiser = new AdamW(4, { weightDecay: 0.1 });
  for (let step = 0; step < 20; step++) optimiser.update(parameters, slopes(step), 1e-2 * (1 - step / 20));
  // torch 2: AdamW([p], lr=1e-2, weight_decay=0.1), with lr set before each step and the slopes above as p.grad.
  expectClose(parameters, [0.5099017024040222, -0.9935523867607117, 1.973816156387329, -0.01602165400981903]);
  expectClose(optimiser.first, [-0.00035990960896, 0.002094587078318, -0.05525998026132, 0.4162220060825348]);
  expectClose(optimiser.second, [1.29958777961e-6, 0.0001181927509606, 0.01183023955672, 1.300628423690796]);
});

test('weight decay draws on a parameter whose slope is 0, and by the learning rate only', () => {
  const parameters = new Float32Array([1]);
  new AdamW(1, { weightDecay: 0.5 }).update(parameters, new Float32Array(1), 0.1);
  expect(parameters[0]).toBeCloseTo(0.95, 6);
});

test('a clipped gradient moves the parameters as one that is shorter', () => {
  const [clipped, shorter] = [new AdamW(4, { weightDecay: 0 }), new AdamW(4, { weightDecay: 0 })];
  const at = [new Float32Array(4), new Float32Array(4)] as const;
  clipped.update(at[0], slopes(1), 0.1, 0.25);
  shorter.update(
    at[1],
    slopes(1).map((slope) => slope / 4),
    0.1,
  );
  expect(at[0]).toEqual(at[1]);
});

test('clipping leaves a gradient alone that is short enough, and cuts a longer one down to the limit', () => {
  const norm = normOf(new Float32Array([3, 4]));
  expect(norm).toBe(5);
  expect(clipping(norm, 6)).toBe(1);
  expect(clipping(norm, 1) * norm).toBeCloseTo(1, 5);
  expect(clipping(norm, 0)).toBe(1);
});

test('one slope that is no number makes the norm none', () => {
  expect(normOf(new Float32Array([1, Number.NaN]))).toBeNaN();
  expect(normOf(new Float32Array([1, Number.POSITIVE_INFINITY]))).toBe(Number.POSITIVE_INFINITY);
});

const expectClose = (found: Float32Array, expected: readonly number[]): void => {
  for (const [i, value] of expected.entries()) expect(Math.abs((found[i] ?? 0) / value - 1)).toBeLessThan(2e-6);
};
