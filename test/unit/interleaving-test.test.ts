import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seeded } from '../../domain/random.ts';
import {
  type Credits,
  interleavingTest,
  noCredits,
  preferenceP,
  withCredit,
} from '../../domain/statistics/interleaving-test.ts';
import { clopperPearson } from '../../domain/statistics/special.ts';

type Case = Credits & { readonly alpha: number; readonly p: number; readonly low: number; readonly high: number };
const { preferences }: { readonly preferences: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../fixtures/statistics/tests.json', import.meta.url), 'utf8'),
);

test('p and interval are those of the mixture, by the beta functions of SciPy', () => {
  for (const { alpha, p, low, high, ...credits } of preferences) {
    const found = interleavingTest(credits, alpha);
    for (const [is, should] of [
      [found.p, p],
      [found.low, low],
      [found.high, high],
    ] as const) {
      expect(Math.abs(is - should)).toBeLessThan(1e-9);
    }
  }
});

test('credits are counted by who won; what nobody won changes nothing', () => {
  const credits = ['v1', 'v1', null, 'v2', 'v1'].reduce<Credits>(
    (sums, winner) => withCredit(sums, 'v1', winner),
    noCredits,
  );
  expect(credits).toEqual({ wins: 3, losses: 1, ties: 1 });
  expect(interleavingTest(credits, 0.05)).toEqual(interleavingTest({ ...credits, ties: 1_000 }, 0.05));
  expect(interleavingTest({ wins: 0, losses: 0, ties: 9 }, 0.05)).toMatchObject({ share: null, p: 1 });
});

test('who is preferred, and who is not, is said with the sign', () => {
  expect(interleavingTest({ wins: 600, losses: 400, ties: 0 }, 0.05).verdict).toBe('preferred');
  expect(interleavingTest({ wins: 400, losses: 600, ties: 0 }, 0.05).verdict).toBe('not preferred');
  expect(interleavingTest({ wins: 52, losses: 48, ties: 0 }, 0.05).verdict).toBe('undecided');
});

test('looked at after every answer, two equal rankings are told apart in no more than alpha of all runs', () => {
  const [runs, answers, alpha] = [400, 800, 0.1];
  let alarms = 0;
  for (let run = 0; run < runs; run += 1) {
    const random = seeded(run);
    let credits = noCredits;
    for (let n = 0; n < answers; n += 1) {
      credits = withCredit(credits, 'v1', random() < 0.5 ? 'v1' : 'v2');
      if (preferenceP(credits) <= alpha) {
        alarms += 1;
        break;
      }
    }
  }
  expect(clopperPearson(alarms, runs, 0.05).low).toBeLessThanOrEqual(alpha);
  expect(alarms).toBeGreaterThan(0);
});
