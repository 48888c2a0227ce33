import { expect, test } from 'vitest';
import type { Analysis, CanaryPlan } from '../../contracts/canary.ts';
import { judgedTraffic } from '../../domain/canary/judged-traffic.ts';
import { judging, measure } from '../support/canary-home.ts';

const MINUTE = 60_000;
const judge = (over: Partial<NonNullable<Analysis['judging']>> = {}): Analysis => ({
  measures: [],
  judging: { ...judging(), delayMs: 5 * MINUTE, ...over },
});
const planOf = (steps: CanaryPlan['steps'], over: Partial<CanaryPlan> = {}): CanaryPlan => ({
  ...{ steps, analyses: { standard: judge() }, background: null, holdMs: 1, floor: 0, rollbackWindow: 0 },
  ...{ hooks: [], watch: null },
  ...over,
});
const WEIGHT = { weight: 0.1 };
const TEN_MINUTES = { pauseMs: 10 * MINUTE };
const STANDARD = { analysis: 'standard' };

test('values are collected from the first weight on, through pauses and analyses, by the share of the time', () => {
  const plan = planOf([TEN_MINUTES, WEIGHT, TEN_MINUTES, STANDARD, { weight: 0.4 }, { approval: true }, STANDARD]);
  const { share, baselineShare, windowMs } = judgedTraffic(plan) ?? {};
  expect(windowMs).toBe(20 * MINUTE);
  expect(share).toBeCloseTo((15 * 0.1 + 5 * 0.4) / 20, 12);
  expect(baselineShare).toBeCloseTo((15 * 0.9 + 5 * 0.6) / 20, 12);
});

test('an analysis takes as long as its slowest measure, or its judge', () => {
  const measures = [measure({ count: 4, intervalMs: 3 * MINUTE, delayMs: MINUTE }), measure({ count: null })];
  const analyses = { standard: { ...judge({ count: 2, intervalMs: MINUTE }), measures } };
  expect(judgedTraffic(planOf([WEIGHT, STANDARD], { analyses }))?.windowMs).toBe(10 * MINUTE);
  const quick = { standard: { ...judge({ count: 2, intervalMs: MINUTE }), measures: [] } };
  expect(judgedTraffic(planOf([WEIGHT, STANDARD], { analyses: quick }))?.windowMs).toBe(6 * MINUTE);
});

test('a fresh baseline gets as much as the challenger, and is held against nothing from before it', () => {
  const plan = planOf([WEIGHT, TEN_MINUTES, { baseline: true }, { weight: 0.2 }, STANDARD]);
  expect(judgedTraffic(plan)).toMatchObject({ share: 0.2, baselineShare: 0.2, windowMs: 5 * MINUTE });
});

test('what was found unseen counts until users get it, and then no more', () => {
  const unseen = planOf([{ mirror: 0.5 }, STANDARD]);
  expect(judgedTraffic(unseen)).toMatchObject({ share: 0.5, baselineShare: 1, windowMs: 5 * MINUTE });
  const seen = planOf([{ mirror: 0.5 }, TEN_MINUTES, WEIGHT, STANDARD]);
  expect(judgedTraffic(seen)).toMatchObject({ share: 0.1, baselineShare: 0.9, windowMs: 5 * MINUTE });
});

test('a judge in the background sees everything up to the end', () => {
  const analyses = { standard: { measures: [measure()], judging: null }, guard: judge({ count: null, samples: 7 }) };
  const background = { analysis: 'guard', fromStep: 0 };
  const plan = planOf([WEIGHT, TEN_MINUTES, STANDARD, TEN_MINUTES], { analyses, background });
  expect(judgedTraffic(plan)).toMatchObject({ windowMs: 20 * MINUTE, judging: { samples: 7 } });
});

test.each([
  ['no judge at all', planOf([WEIGHT, STANDARD], { analyses: { standard: { measures: [measure()], judging: null } } })],
  ['no analysis of that name', planOf([WEIGHT, { analysis: 'other' }])],
  ['nothing before the weight', planOf([STANDARD, WEIGHT])],
])('with %s nothing is judged', (_, plan) => {
  expect(judgedTraffic(plan)).toBeNull();
});
