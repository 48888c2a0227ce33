import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RatioSums } from '../../contracts/ab.ts';
import { normalDraw } from '../../domain/beta.ts';
import { seeded } from '../../domain/random.ts';
import {
  adjustedPair,
  emptyRatio,
  merged,
  type Pair,
  ratioOf,
  relativeOf,
  type Subject,
  stratified,
  withSubject,
  withSubjects,
} from '../../domain/statistics/ratio.ts';

const { ratios } = JSON.parse(readFileSync(new URL('../fixtures/statistics/sequences.json', import.meta.url), 'utf8'));
type Row = readonly [number, number, number, number];

const subject = ([y, m, x, w]: Row): Subject => ({ y, m, x, w });
const sumsOf = (rows: readonly Row[]): RatioSums => withSubjects(emptyRatio(), rows.map(subject));
const means = (values: readonly number[]): RatioSums => sumsOf(values.map((y) => [y, 1, 0, 0]));
const near = (found: number | undefined, expected: number): void =>
  expect(Math.abs((found ?? Number.NaN) / expected - 1)).toBeLessThan(1e-9);
const pairOf = (champion: RatioSums, challenger: RatioSums): Pair => {
  const pair = adjustedPair(champion, challenger);
  if (!pair) throw new Error('There is no pair.');
  return pair;
};

// Whole numbers, whose sums are exact.
const whole = fc.integer({ min: -1_000, max: 1_000 });
const rows = fc.array(fc.tuple(whole, whole, whole, whole), { maxLength: 20 });

test('parts that are merged, in any order and through JSON, give what the whole gives', () => {
  fc.assert(
    fc.property(rows, rows, rows, (a, b, c) => {
      const [x, y, z] = [a, b, c].map((part): RatioSums => JSON.parse(JSON.stringify(sumsOf(part)))) as [
        RatioSums,
        RatioSums,
        RatioSums,
      ];
      const all = sumsOf([...a, ...b, ...c]);
      expect(merged(merged(x, y), z)).toEqual(all);
      expect(merged(x, merged(z, y))).toEqual(all);
      expect([...a, ...b, ...c].map(subject).reduce(withSubject, emptyRatio())).toEqual(all);
    }),
  );
});

test('a ratio and its variance are what the delta method says of the subjects themselves', () => {
  for (const { challenger, plain } of ratios.pairs) {
    const found = ratioOf(sumsOf(challenger));
    near(found?.value, plain.value);
    near(found?.variance, plain.variance);
    expect(found?.n).toBe(challenger.length);
  }
});

test('with one for every denominator it is a mean, and the pair is what Welch tests', () => {
  const { a, b, t } = ratios.welch;
  const { difference, variance } = pairOf(means(a), means(b));
  near(-difference / Math.sqrt(variance), t);
});

test('what was before adjusts by one theta, as CUPED is defined over subjects', () => {
  for (const { champion, challenger, adjusted } of ratios.pairs) {
    const pair = pairOf(sumsOf(champion), sumsOf(challenger));
    near(pair.champion, adjusted.champion);
    near(pair.challenger, adjusted.challenger);
    near(pair.difference, adjusted.difference);
    near(pair.variance, adjusted.variance);
    const relative = relativeOf(pair);
    near(relative?.value, adjusted.relative);
    near(relative?.variance, adjusted.relativeVariance);
  }
});

/** Subjects who do again what they did before, but for noise. */
const drawn = (random: () => number, n: number, level: number): RatioSums =>
  withSubjects(
    emptyRatio(),
    Array.from({ length: n }, () => {
      const habit = Math.exp(normalDraw(random));
      return { y: level + habit + 0.3 * normalDraw(random), m: 1, x: habit, w: 1 };
    }),
  );
const withoutBefore = ({ n, sums: [y, m], products: [yy, ym, , , mm] }: RatioSums): RatioSums => ({
  n,
  sums: [y, m, 0, 0],
  products: [yy ?? 0, ym ?? 0, 0, 0, mm ?? 0, 0, 0, 0, 0, 0],
});

test('habits that were there before do not count as an effect, and the interval gets narrower for it', () => {
  const random = seeded(1);
  const found = Array.from({ length: 400 }, () => {
    const [a, b] = [drawn(random, 150, 1), drawn(random, 50, 1)];
    return { adjusted: pairOf(a, b), plain: pairOf(withoutBefore(a), withoutBefore(b)) };
  });
  const average = (of: (one: (typeof found)[number]) => number): number =>
    found.reduce((total, one) => total + of(one), 0) / found.length;
  const spread = average(({ adjusted }) => adjusted.difference ** 2);
  expect(Math.abs(average(({ adjusted }) => adjusted.difference))).toBeLessThan(3 * Math.sqrt(spread / found.length));
  // Its own variance tells how far it strays.
  expect(spread / average(({ adjusted }) => adjusted.variance)).toBeCloseTo(1, 0);
  expect(average(({ adjusted }) => adjusted.variance)).toBeLessThan(0.1 * average(({ plain }) => plain.variance));
});

test('without a pre-period on one of the arms nothing is adjusted', () => {
  const random = seeded(2);
  const [a, b] = [drawn(random, 30, 1), withoutBefore(drawn(random, 30, 2))];
  const [pair, plain] = [pairOf(a, b), pairOf(withoutBefore(a), b)];
  near(pair.champion, ratioOf(a)?.value ?? 0);
  near(pair.difference, plain.difference);
  near(pair.variance, plain.variance);
});

test('fewer than two subjects, or nothing to divide by, is no estimate', () => {
  const [one, two] = [means([1]), means([1, 2])];
  expect(ratioOf(emptyRatio())).toBeNull();
  expect(ratioOf(one)).toBeNull();
  expect(
    ratioOf(
      sumsOf([
        [1, 0, 0, 0],
        [2, 0, 0, 0],
      ]),
    ),
  ).toBeNull();
  expect(adjustedPair(one, two)).toBeNull();
  expect(adjustedPair(two, one)).toBeNull();
  expect(relativeOf(pairOf(means([0, 0]), two))).toBeNull();
});

test('n is what half and half would have needed, so that n × variance is the same at every share', () => {
  const random = seeded(3);
  const [small, even] = [
    pairOf(drawn(random, 99_000, 1), drawn(random, 1_000, 1)),
    pairOf(drawn(random, 2_000, 1), drawn(random, 2_000, 1)),
  ];
  expect(small.n).toBeCloseTo(3_960);
  expect(even.n).toBe(4_000);
  expect((small.n * small.variance) / (even.n * even.variance)).toBeCloseTo(1, 1);
  expect(small.subjects).toEqual({ champion: 99_000, challenger: 1_000 });
});

test('a level that moves while the share does is no effect (Simpson)', () => {
  // Twice as much is clicked in the second week, in which the challenger has half of the traffic instead of a hundredth.
  const week = (level: number, champions: number, challengers: number): readonly [RatioSums, RatioSums] => {
    const values = (n: number): number[] => Array.from({ length: n }, (_, i) => level + (i % 2) * 0.2);
    return [means(values(champions)), means(values(challengers))];
  };
  const weeks = [week(1, 9_900, 100), week(2, 5_000, 5_000)] as const;
  const apart = stratified(weeks.map(([a, b]) => adjustedPair(a, b)));
  expect(apart?.difference).toBeCloseTo(0, 9);
  const lumped = pairOf(merged(weeks[0][0], weeks[1][0]), merged(weeks[0][1], weeks[1][1]));
  expect(lumped.difference).toBeGreaterThan(0.5);
});

test('a phase whose few subjects happen to be alike does not outweigh the rest', () => {
  const random = seeded(4);
  const alike = adjustedPair(means(Array(50).fill(0)), means([1, 1, 1]));
  expect(alike?.variance).toBe(0);
  const rest = pairOf(drawn(random, 5_000, 1), drawn(random, 5_000, 1));
  expect(stratified([alike, null, rest])?.difference).toBeLessThan(0.01);
  expect(stratified([alike, null, rest])?.subjects).toEqual({ champion: 5_050, challenger: 5_003 });
  expect(stratified([null])).toBeNull();
});

test('one phase alone is what it was, and a phase split in two is about the same', () => {
  const random = seeded(5);
  const halves = [0, 1].map(() => [drawn(random, 20_000, 1), drawn(random, 5_000, 1.1)] as const);
  const whole = pairOf(
    merged(halves[0]?.[0] ?? emptyRatio(), halves[1]?.[0] ?? emptyRatio()),
    merged(halves[0]?.[1] ?? emptyRatio(), halves[1]?.[1] ?? emptyRatio()),
  );
  expect(stratified([whole])).toEqual(whole);
  const split = stratified(halves.map(([a, b]) => adjustedPair(a, b)));
  expect(split?.n).toBeCloseTo(whole.n);
  expect((split?.difference ?? 0) - whole.difference).toBeCloseTo(0, 3);
  expect((split?.variance ?? 0) / whole.variance).toBeCloseTo(1, 1);
  expect((relativeOf(split ?? whole)?.variance ?? 0) / (relativeOf(whole)?.variance ?? 1)).toBeCloseTo(1, 1);
});
