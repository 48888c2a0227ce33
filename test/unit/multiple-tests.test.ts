import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { benjaminiHochberg, holm } from '../../domain/statistics/multiple-tests.ts';

const { multiple }: { readonly multiple: ReadonlyArray<Record<'ps' | 'holm' | 'benjaminiHochberg', number[]>> } =
  JSON.parse(readFileSync(new URL('../fixtures/statistics/tests.json', import.meta.url), 'utf8'));

test('both corrections are those of statsmodels, in the order in which the p-values came', () => {
  for (const { ps, ...expected } of multiple) {
    for (const [i, p] of holm(ps).entries()) expect(Math.abs(p - (expected.holm[i] ?? 9))).toBeLessThan(1e-12);
    for (const [i, p] of benjaminiHochberg(ps).entries()) {
      expect(Math.abs(p - (expected.benjaminiHochberg[i] ?? 9))).toBeLessThan(1e-12);
    }
  }
});

test('no metric, no p-value', () => {
  expect(holm([])).toEqual([]);
  expect(benjaminiHochberg([])).toEqual([]);
});
