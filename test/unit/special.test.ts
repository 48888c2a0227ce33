import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  chiSquareSf,
  clopperPearson,
  normalCdf,
  normalQuantile,
  studentQuantile,
  studentSf,
} from '../../domain/statistics/special.ts';

const { distributions } = JSON.parse(
  readFileSync(new URL('../fixtures/statistics/sequences.json', import.meta.url), 'utf8'),
);
type Rows = readonly (readonly number[])[];

/** Relative, so that what is far out in a tail is right too; of 0 (and of what is smaller than `floor`) absolute. */
const within = (limit: number, rows: Rows, compute: (...given: number[]) => number, floor = 0): void => {
  const off = (found: number, expected: number): number =>
    Math.abs(found - expected) / (Math.max(floor, Math.abs(expected)) || 1);
  for (const row of rows) {
    const [given, expected] = [row.slice(0, -1), row.at(-1) ?? Number.NaN];
    const found = compute(...given);
    expect(off(found, expected), `${given}: ${found}, not ${expected}`).toBeLessThan(limit);
  }
};
const [at, df, third] = [
  (given: readonly number[]) => given[0] ?? 0,
  (given: readonly number[]) => given[1] ?? 0,
  (given: readonly number[]) => given[2] ?? 0,
];

test('the normal distribution is what SciPy says, to its furthest tail', () => {
  within(1e-12, distributions.normalCdf, (z) => normalCdf(z ?? 0));
  within(1e-12, distributions.normalQuantile, (p) => normalQuantile(p ?? 0));
});

test('chi-square is what SciPy says', () => {
  within(1e-9, distributions.chiSquareSf, (...given) => chiSquareSf(at(given), df(given)));
});

test("Student's distribution is what SciPy says, whether it has one degree of freedom or a million", () => {
  within(1e-9, distributions.studentSf, (...given) => studentSf(at(given), df(given)), 1e-9);
  within(1e-9, distributions.studentQuantile, (...given) => studentQuantile(at(given), df(given)));
});

test("Clopper and Pearson's bounds are what statsmodels says, at no hit and at all hits too", () => {
  const bounds = distributions.clopperPearson as Rows;
  for (const row of bounds) {
    const { low, high } = clopperPearson(at(row), df(row), third(row));
    expect(Math.abs(low - (row[3] ?? 0)), `${row}`).toBeLessThan(1e-9);
    expect(Math.abs(high - (row[4] ?? 0)), `${row}`).toBeLessThan(1e-9);
  }
});

test('a quantile is the value below which so much lies', () => {
  const share = fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true });
  fc.assert(fc.property(share, (p) => Math.abs(normalCdf(normalQuantile(p)) / p - 1) < 1e-9));
  fc.assert(
    fc.property(share, fc.double({ min: 1, max: 1e5, noNaN: true }), (p, freedom) => {
      const found = 1 - studentSf(studentQuantile(p, freedom), freedom);
      return Math.abs(found - p) < 1e-9;
    }),
  );
});

test('at the ends of what is possible there is an end, and no number stays none', () => {
  expect([normalQuantile(0), normalQuantile(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  expect([normalCdf(Number.NEGATIVE_INFINITY), normalCdf(Number.POSITIVE_INFINITY)]).toEqual([0, 1]);
  expect([chiSquareSf(0, 3), chiSquareSf(Number.POSITIVE_INFINITY, 3)]).toEqual([1, 0]);
  expect([studentSf(Number.POSITIVE_INFINITY, 3), studentSf(Number.NEGATIVE_INFINITY, 3)]).toEqual([0, 1]);
  for (const found of [normalCdf(Number.NaN), normalQuantile(Number.NaN), chiSquareSf(Number.NaN, 3)]) {
    expect(found).toBeNaN();
  }
});
