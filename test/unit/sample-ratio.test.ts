import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type DealtPhase, MISMATCH, sampleRatioP } from '../../domain/statistics/sample-ratio.ts';

const { ratios }: { readonly ratios: ReadonlyArray<{ readonly phases: readonly DealtPhase[]; readonly p: number }> } =
  JSON.parse(readFileSync(new URL('../fixtures/statistics/tests.json', import.meta.url), 'utf8'));

test('statistics and degrees of freedom add up over the phases, as chi-squares of SciPy do', () => {
  for (const { phases, p } of ratios) expect(Math.abs((sampleRatioP(phases) ?? 9) - p)).toBeLessThan(1e-9);
});

test('a ramp that was dealt as it should be is no mismatch, though its sums are', () => {
  const ramp: DealtPhase[] = [
    { observed: [9_905, 95], expected: [0.99, 0.01] },
    { observed: [5_020, 4_980], expected: [0.5, 0.5] },
  ];
  expect(sampleRatioP(ramp)).toBeGreaterThan(0.5);
  expect(sampleRatioP([{ observed: [14_925, 5_075], expected: [0.5, 0.5] }])).toBeLessThan(MISMATCH);
});

test('a mismatch in one phase is not made good by the opposite one in another', () => {
  const phases: DealtPhase[] = [
    { observed: [5_300, 4_700], expected: [0.5, 0.5] },
    { observed: [4_700, 5_300], expected: [0.5, 0.5] },
  ];
  expect(sampleRatioP(phases)).toBeLessThan(MISMATCH);
});

test('without a subject nothing is known, and a phase without one changes nothing', () => {
  expect(sampleRatioP([])).toBeNull();
  expect(sampleRatioP([{ observed: [0, 0], expected: [0.9, 0.1] }])).toBeNull();
  const phase: DealtPhase = { observed: [480, 520], expected: [1, 1] };
  expect(sampleRatioP([phase, { observed: [0, 0], expected: [0.9, 0.1] }])).toBe(sampleRatioP([phase]));
});

test('a subject of an arm that is dealt nobody is a mismatch for certain', () => {
  expect(sampleRatioP([{ observed: [100, 1], expected: [1, 0] }])).toBe(0);
  expect(sampleRatioP([{ observed: [100, 0], expected: [1, 0] }])).toBe(1);
});
