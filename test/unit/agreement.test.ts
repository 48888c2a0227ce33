import { expect, test } from 'vitest';
import { agreement, type GradePair, whyJudgeDoesNotCount } from '../../domain/agreement.ts';
import { seeded } from '../../domain/random.ts';

/** A judge who gives the person's grade so often, and otherwise any. */
const judged = (right: number, n: number): GradePair[] => {
  const random = seeded(3);
  const any = (): number => Math.floor(random() * 4);
  return Array.from({ length: n }, () => {
    const person = any();
    return { person, judge: random() < right ? person : any() };
  });
};

test('kappa is 1 for a judge who always agrees, about 0 for one who guesses, and below for one who contradicts', () => {
  expect(agreement(judged(1, 100), 7)).toMatchObject({ kappa: 1, low: 1, high: 1, n: 100 });
  expect(Math.abs(agreement(judged(0, 4_000), 7).kappa ?? 1)).toBeLessThan(0.05);
  const contrary = judged(1, 100).map(({ person }) => ({ person, judge: 3 - person }));
  expect(agreement(contrary, 7).kappa).toBeLessThan(-0.9);
});

test('it is the weighted kappa of a table that was worked out by hand', () => {
  // Grades 0 and 2, 10 pairs: 4 agree on 0, 4 on 2, and 2 are apart by 2. Observed 0.8, by chance 2.
  const pairs = [
    ...Array(4).fill({ person: 0, judge: 0 }),
    ...Array(4).fill({ person: 2, judge: 2 }),
    { person: 0, judge: 2 },
    { person: 2, judge: 0 },
  ];
  expect(agreement(pairs, 7).kappa).toBeCloseTo(0.6, 12);
});

test('a near miss costs less than a far one', () => {
  const off = (by: number) =>
    judged(1, 100).map(({ person }, n) => ({ person, judge: n % 4 > 0 ? person : (person + by) % 4 }));
  expect(agreement(off(1), 7).kappa).toBeGreaterThan(agreement(off(2), 7).kappa ?? 1);
});

test('the interval holds the truth, and is narrower with more pairs', () => {
  const [few, many] = [agreement(judged(0.8, 60), 7), agreement(judged(0.8, 2_000), 7)];
  expect(many.low).toBeLessThan(0.8);
  expect(many.high).toBeGreaterThan(0.8);
  expect((many.high ?? 1) - (many.low ?? 0)).toBeLessThan((few.high ?? 1) - (few.low ?? 0));
});

test('a judge counts by the lower end of its agreement, on enough pairs', () => {
  expect(whyJudgeDoesNotCount(agreement(judged(0.8, 500), 7))).toBeNull();
  expect(whyJudgeDoesNotCount(agreement(judged(1, 49), 7))).toContain('49 of the same pairs, and 50 are needed');
  expect(whyJudgeDoesNotCount(agreement(judged(0.3, 500), 7))).toContain('may be as low as 0.');
  const flat = Array(100).fill({ person: 1, judge: 1 });
  expect(whyJudgeDoesNotCount(agreement(flat, 7))).toContain('same grade throughout');
});
