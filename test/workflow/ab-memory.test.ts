import { describe, expect, test } from 'vitest';
import type { AbExpectation, AbFinding } from '../../contracts/ab.ts';
import type { AbMemory } from '../../contracts/ab-messages.ts';
import { fresh, nextLookMs, outlookOf, rampsUp, withLook, withoutLook } from '../../workflows/ab/memory.ts';
import { DAY, HOUR, weekAb } from '../support/ab.ts';

const START = Date.parse('2026-11-21T12:00:00.000Z');
const expectation: AbExpectation = { subjectsPerDay: 100, subjectsNeeded: 900, days: 9, sentence: 'About 9 days.' };
const begun = (news: Partial<AbMemory> = {}): AbMemory => ({
  ...fresh({ plan: weekAb, nth: 1, expectation, outlook: '' }, START),
  ...news,
});
const finding = (news: Partial<AbFinding> = {}): AbFinding => ({
  ...{ decision: 'go on', sentence: 'It goes on.', reasons: [], estimates: [], sampleRatioP: null, crossed: 0 },
  subjects: { champion: 10, challenger: 10 },
  ...news,
});

describe('the next look', () => {
  test('stands on the grid of the start, whatever was looked at in between', () => {
    expect(nextLookMs(begun(), START)).toBe(START + HOUR);
    expect(nextLookMs(begun(), START + 1)).toBe(START + HOUR);
    expect(nextLookMs(begun(), START + HOUR)).toBe(START + 2 * HOUR);
    expect(nextLookMs(begun(), START + 90 * 60_000)).toBe(START + 2 * HOUR);
  });

  test('comes when the challenger could get more, and then on the grid again', () => {
    const late = begun({ phaseSinceMs: START + 1_000 });
    expect(nextLookMs(late, START + DAY)).toBe(START + DAY + 1_000);
    expect(nextLookMs(late, START + DAY + 1_000)).toBe(START + DAY + HOUR);
  });
});

describe('the challenger gets more', () => {
  test('when the phase has lasted, and not a moment sooner', () => {
    expect(rampsUp(begun(), finding(), START + DAY - 1)).toBe(false);
    expect(rampsUp(begun(), finding(), START + DAY)).toBe(true);
  });

  test('not where the look says anything but that it goes on, and not where it was seen by nobody', () => {
    expect(rampsUp(begun(), finding({ decision: 'keep' }), START + DAY)).toBe(false);
    expect(rampsUp(begun(), finding({ subjects: { champion: 9, challenger: 0 } }), START + DAY)).toBe(false);
  });

  test('not beyond the last share', () => {
    expect(rampsUp(begun({ phase: weekAb.ramp.length - 1 }), finding(), START + 2 * DAY)).toBe(false);
  });
});

test('a look is remembered as a point of the chart, which is thinned out and keeps its ends', () => {
  const sums = { phases: [], crossed: 0, unnamed: 0, until: 0 };
  const relative = { value: 0.01, low: -0.02, high: 0.04 };
  const estimates = [
    { metric: 'latency', champion: 1, challenger: 2, relative: null, p: null, subjects: 20 },
    { metric: 'ndcg', champion: 0.4, challenger: 0.404, relative, p: null, subjects: 20 },
  ];
  let memory = begun({ trouble: 'before' });
  for (let nth = 1; nth <= 500; nth++) {
    memory = withLook(memory, { sums, finding: finding({ estimates }), nowMs: START + nth * HOUR, share: 0.1 });
    expect(memory.looks.length).toBeLessThanOrEqual(120);
    expect(memory.looks.at(-1)?.at).toBe(new Date(START + nth * HOUR).toISOString());
  }
  expect(memory).toMatchObject({ looked: 500, lookedMs: START + 500 * HOUR, trouble: null });
  expect(memory.looks[0]).toMatchObject({ at: new Date(START + HOUR).toISOString(), gain: relative, subjects: 20 });
  expect(memory.looks.length).toBeGreaterThan(50);
});

test.for([
  ['keep', 'keep'],
  ['ask', 'ask'],
] as const)('what cannot be read decides nothing before its time is over, and then %s', ([undecided, decision]) => {
  const memory = begun({ plan: { ...weekAb, undecided }, trouble: 'no disk' });
  expect(withoutLook(memory, START + 28 * DAY - 1).decision).toBe('go on');
  expect(withoutLook(memory, START + 28 * DAY)).toEqual({
    decision,
    sentence: 'Its time is over and nothing is decided. The data cannot be read: no disk',
  });
});

test('before it begins it is said whether it may take as long as it will', () => {
  expect(outlookOf(weekAb, expectation)).toBe('About 9 days.');
  const short = { ...weekAb, maximumMs: 7 * DAY };
  expect(outlookOf(short, expectation)).toBe(
    'About 9 days. It may take 7 days, so it will most likely end undecided: then the champion stays.',
  );
  expect(outlookOf({ ...short, undecided: 'ask' }, { ...expectation, days: null })).toContain('then a person is asked');
  expect(outlookOf(weekAb, null)).toBe('How long it takes could not be told.');
});
