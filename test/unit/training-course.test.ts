import { describe, expect, test } from 'vitest';
import { bestOf, gainsNoMore, nextStop, secondsLeft, silenceMs, whyNotExtend } from '../../domain/training-course.ts';

test.each([
  { step: 0, ends: 10 },
  { step: 9, ends: 10 },
  { step: 10, ends: 20 },
  { step: 20, ends: 25 },
])('of 25 steps that are measured every 10, the leg from $step on ends at $ends', ({ step, ends }) => {
  expect(nextStop(step, 25, { evaluateEvery: 10 })).toBe(ends);
});

test('without evaluations there is one leg', () => {
  expect(nextStop(3, 25, { evaluateEvery: 0 })).toBe(25);
});

test('of equally good points the earliest is the best', () => {
  expect(bestOf([1, 2, 3].map((step) => ({ step, ndcg: step === 1 ? 0.2 : 0.3 })))).toEqual({ step: 2, ndcg: 0.3 });
  expect(bestOf([])).toBeNull();
});

test.each([
  { ndcgs: [0.5, 0.4], patience: 2, stops: false },
  { ndcgs: [0.5, 0.4, 0.5], patience: 2, stops: true },
  { ndcgs: [0.5, 0.4, 0.6], patience: 2, stops: false },
  { ndcgs: [0.5, 0.4, 0.3], patience: 0, stops: false },
])('with patience $patience, $ndcgs stops: $stops', ({ ndcgs, patience, stops }) => {
  expect(
    gainsNoMore(
      ndcgs.map((ndcg, at) => ({ step: at + 1, ndcg })),
      patience,
    ),
  ).toBe(stops);
});

test('the time that is left is known once there is a speed', () => {
  expect(secondsLeft(10, 30, 4)).toBe(5);
  for (const unknown of [null, 0]) expect(secondsLeft(10, 30, unknown)).toBeNull();
});

describe('the silence after which a worker counts as lost', () => {
  test.each([
    { what: 'nothing was measured or said', given: undefined, speed: null, ms: 120_000 },
    { what: 'steps are quick', given: undefined, speed: 4, ms: 30_000 },
    { what: 'steps are slow', given: undefined, speed: 0.02, ms: 500_000 },
    { what: 'somebody said so, and nothing was measured', given: 300_000, speed: null, ms: 300_000 },
    { what: 'somebody said less than ten steps take', given: 1_000, speed: 0.5, ms: 20_000 },
    { what: 'somebody said more than ten steps take', given: 60_000, speed: 4, ms: 60_000 },
  ])('is $ms ms where $what', ({ given, speed, ms }) => {
    expect(silenceMs(given, speed)).toBe(ms);
  });
});

describe('an extension', () => {
  test('may go as far as was allowed at the start', () => {
    expect(whyNotExtend(30, 30, 60)).toBeNull();
    expect(whyNotExtend(31, 30, 60)).toContain('30 more are possible');
  });

  test.each([undefined, 'many', 0, -1, 0.5, Number.NaN])('by %s is refused with what is expected', (steps) => {
    expect(whyNotExtend(steps, 30, 60)).toContain('expected a number of steps');
  });
});
