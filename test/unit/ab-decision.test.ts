import { describe, expect, test } from 'vitest';
import type { AbPlan, AbSums, ArmSums } from '../../contracts/ab.ts';
import { type Clock, decideAb, RULES } from '../../domain/ab/decision.ts';
import { emptyRatio, withSubjects } from '../../domain/statistics/ratio.ts';

const DAY = 86_400_000;
const plan: AbPlan = {
  ...{ ramp: [0.1, 0.5], phaseMs: DAY, lookMs: DAY / 24, windowMs: DAY, beforeMs: 0, minimumMs: 7 * DAY },
  ...{ maximumMs: 28 * DAY, wholeWeek: true, metric: 'ndcg', gain: 0.03, method: 'confidence sequence' },
  guardrails: [
    { metric: 'latency', margin: 0.1 },
    { metric: 'errors', margin: 0.5 },
  ],
  ...{ alpha: 0.05, harmAlpha: 0.005, planned: 4_000, fewest: 100, undecided: 'keep', holdMs: DAY },
};
const days = (count: number, over: Partial<Clock> = {}): Clock => ({
  ...{ startedMs: 0, nowMs: count * DAY, share: 0.5 },
  ...over,
});

/** Of each metric: what half of the subjects are above, and half below the mean, by `spread`; null: nothing was measured. */
type Levels = Readonly<Record<string, { readonly mean: number; readonly spread: number } | null>>;
const USUAL: Levels = {
  ndcg: { mean: 0.6, spread: 0.2 },
  latency: { mean: 100, spread: 30 },
  errors: { mean: 0.02, spread: 0.02 },
};
const armOf = (n: number, levels: Levels, enrolled = n): ArmSums => ({
  enrolled,
  metrics: Object.fromEntries(
    Object.entries({ ...USUAL, ...levels }).flatMap(([metric, level]) => {
      const signs = Array.from({ length: n }, (_, at) => (at % 2 === 0 ? 1 : -1));
      const subjects = signs.map((sign) => ({
        y: 10 * ((level?.mean ?? 0) + sign * (level?.spread ?? 0)),
        m: 10,
        x: 0,
        w: 0,
      }));
      return level ? [[metric, withSubjects(emptyRatio(), subjects)]] : [];
    }),
  ),
});
/** One phase, with so many subjects on each arm. */
const sumsOf = (n: number, challenger: Levels, over: Partial<AbSums> = {}, champion: Levels = {}): AbSums => ({
  phases: [{ share: 0.5, champion: armOf(n, champion), challenger: armOf(n, challenger) }],
  ...{ crossed: 0, unnamed: 0, until: 0, ...over },
});
const ndcg = (mean: number) => ({ ndcg: { mean, spread: 0.2 } });
/** 10 % better on every look that is taken seriously. */
const BETTER = ndcg(0.66);
const decided = (sums: AbSums, clock = days(8), over: Partial<AbPlan> = {}) =>
  decideAb(sums, { ...plan, ...over }, clock);

test('what voids comes before harm, harm before success, and success before the end of its time', () => {
  expect(RULES.map(({ name }) => name)).toEqual([
    'subjects came as they were dealt',
    'hardly anybody saw both arms',
    'no harm',
    'everything is shown',
    'time is up',
    'it takes longer',
  ]);
});

describe('a result is void', () => {
  const uneven = (n: number, lost: number): AbSums => ({
    ...sumsOf(n, BETTER),
    phases: [{ share: 0.5, champion: armOf(n, {}), challenger: armOf(n, BETTER, n - lost) }],
  });
  test('when an arm has lost subjects, even where the others look better', () => {
    expect(decided(uneven(2_000, 250))).toMatchObject({
      decision: 'void',
      reasons: [expect.stringContaining('2000 and 1750')],
    });
    expect(decided(uneven(2_000, 40)).decision).toBe('promote');
  });
  test('when a loss in one phase is hidden by that in another', () => {
    const [one, other] = [uneven(1_000, 200), uneven(1_000, 0)];
    const [lost] = one.phases;
    const [whole] = other.phases;
    if (!lost || !whole) throw new Error('no phase');
    const swapped = { ...whole, champion: armOf(1_000, {}, 800), challenger: armOf(1_000, BETTER) };
    expect(decided({ ...one, phases: [{ ...lost, share: 0.1 }, swapped] }).decision).toBe('void');
  });
  test('when ten subjects and one in a hundred saw both arms', () => {
    expect(decided(sumsOf(500, BETTER, { crossed: 10 }))).toMatchObject({ decision: 'void', crossed: 10 });
    expect(decided(sumsOf(400, {}, { crossed: 9 })).decision).toBe('go on');
    expect(decided(sumsOf(800, {}, { crossed: 15 })).decision).toBe('go on');
  });
});

describe('it is stopped for harm', () => {
  test('when the metric is surely worse, at once', () => {
    expect(decided(sumsOf(1_000, ndcg(0.5)), days(0.2))).toMatchObject({
      decision: 'stop for harm',
      reasons: ['NDCG is 16.7 % worse'],
    });
  });
  test('when a guardrail is surely worse than it may be, however good the metric', () => {
    const slow = { ...BETTER, latency: { mean: 140, spread: 30 } };
    expect(decided(sumsOf(2_000, slow))).toMatchObject({
      decision: 'stop for harm',
      reasons: ['latency is 40 % worse, and 10 % is allowed'],
    });
    const within = { ...BETTER, latency: { mean: 109, spread: 30 } };
    expect(decided(sumsOf(2_000, within)).decision).not.toBe('stop for harm');
  });
  test('by its own, stricter level', () => {
    const worse = sumsOf(1_000, ndcg(0.565));
    expect(decided(worse).decision).toBe('go on');
    expect(decided(worse, days(8), { harmAlpha: 0.05 }).decision).toBe('stop for harm');
  });
  test('the harder to show, the more is looked at', () => {
    const worse = sumsOf(1_000, ndcg(0.562));
    expect(decided(worse, days(8), { guardrails: [] }).decision).toBe('stop for harm');
    const many = Array.from({ length: 12 }, () => ({ metric: 'latency', margin: 0.1 }));
    expect(decided(worse, days(8), { guardrails: many }).decision).toBe('go on');
  });
  test('not by the first few subjects', () => {
    expect(decided(sumsOf(99, ndcg(0.1))).decision).toBe('go on');
    expect(decided(sumsOf(100, ndcg(0.1))).decision).toBe('stop for harm');
  });
});

describe('it is promoted', () => {
  test('when more than the gain, every guardrail, the least time and a whole week are shown', () => {
    expect(decided(sumsOf(4_000, BETTER))).toMatchObject({
      decision: 'promote',
      sentence: expect.stringMatching(
        /^After 8 days and 8,000 subjects NDCG is 10 % better \(between 7\.\d % and 12\.\d %\); more than 3 % is shown, and every guardrail is intact\.$/,
      ),
    });
  });

  interface Refused {
    readonly sums?: AbSums;
    readonly because: RegExp;
    readonly clock?: Clock;
    readonly over?: Partial<AbPlan>;
  }
  const noisy = { ...BETTER, latency: { mean: 108, spread: 60 } };
  const refused: ReadonlyArray<readonly [string, Refused]> = [
    [
      'the lower bound is not above the gain',
      { sums: sumsOf(4_000, ndcg(0.63)), because: /^more than 3 % is not shown of NDCG$/ },
    ],
    ['the gain that is asked for is larger', { over: { gain: 0.09 }, because: /^more than 9 % is not shown of NDCG$/ }],
    [
      'a guardrail is not known to hold',
      { sums: sumsOf(4_000, noisy), because: /^latency may be worse by 1\d(\.\d)? %, and 10 % is allowed$/ },
    ],
    [
      'a guardrail has no data',
      { sums: sumsOf(4_000, { ...BETTER, errors: null }), because: /^nothing is known of errors$/ },
    ],
    [
      'it has not run for its least time',
      { clock: days(9), over: { minimumMs: 10 * DAY }, because: /^it has run for 9 days, and 10 days are the least$/ },
    ],
    ['a day of the week is missing', { clock: days(6.9), over: { minimumMs: 0 }, because: /every day of the week$/ }],
    ['the metric has no data', { sums: sumsOf(4_000, { ndcg: null }), because: /^nothing is known of NDCG$/ }],
    [
      'the subjects are too few',
      {
        sums: sumsOf(99, { ndcg: { mean: 0.95, spread: 0.01 } }, {}, { ndcg: { mean: 0.6, spread: 0.01 } }),
        over: { guardrails: [] },
        because: /^NDCG is known of 99 and 99 subjects, and 100 are needed on each arm$/,
      },
    ],
  ];
  test.each(refused)(
    'not while %s, and for that reason alone',
    (_, { sums = sumsOf(4_000, BETTER), because, clock, over }) => {
      expect(decided(sums, clock, over)).toMatchObject({
        decision: 'go on',
        reasons: [expect.stringMatching(because)],
      });
    },
  );

  test('without a week where none is asked for', () => {
    expect(decided(sumsOf(4_000, BETTER), days(1), { minimumMs: DAY, wholeWeek: false }).decision).toBe('promote');
  });

  test('by a metric of which less is better', () => {
    const faster = { latency: { mean: 80, spread: 30 } };
    const over = { metric: 'latency', guardrails: [{ metric: 'ndcg', margin: 0.05 }] };
    const finding = decided(sumsOf(4_000, faster), days(8), over);
    expect(finding).toMatchObject({ decision: 'promote', sentence: expect.stringContaining('latency is 20 % better') });
    expect(finding.estimates[0]?.relative?.value).toBeCloseTo(-0.2);
    expect(finding.estimates[0]?.relative?.high).toBeLessThan(0);
  });
});

describe('errors that hardly happen', () => {
  const none = { errors: { mean: 0, spread: 0 } };
  test('pass when none were seen in enough answers, and not in a few', () => {
    expect(decided(sumsOf(4_000, { ...BETTER, ...none }, {}, none)).decision).toBe('promote');
    const few = decided(sumsOf(110, { ndcg: { mean: 0.9, spread: 0.01 }, ...none }, {}, none));
    expect(few.reasons.join()).toMatch(/errors may be worse by/);
  });
  test('are harm when the challenger alone has them', () => {
    const some = { ...BETTER, errors: { mean: 0.05, spread: 0.05 } };
    expect(decided(sumsOf(2_000, some, {}, none))).toMatchObject({ decision: 'stop for harm', reasons: [/errors/] });
  });
});

describe('when its time is up', () => {
  test('it is kept, or a person is asked, as the plan says; and nothing is shipped that is not shown', () => {
    const unclear = sumsOf(4_000, ndcg(0.62));
    expect(decided(unclear, days(27.9)).decision).toBe('go on');
    expect(decided(unclear, days(28)).decision).toBe('keep');
    expect(decided(unclear, days(28), { undecided: 'ask' })).toMatchObject({
      decision: 'ask',
      sentence: expect.stringContaining('28 days are all it may take, so a person is asked'),
    });
  });
  test('without any data it is kept, or asked about', () => {
    const nothing: AbSums = { phases: [], crossed: 0, unnamed: 0, until: 0 };
    expect(decided(nothing, days(28))).toMatchObject({ decision: 'keep', sampleRatioP: null });
    expect(decided(nothing, days(28), { undecided: 'ask' }).decision).toBe('ask');
    expect(decided(nothing, days(1)).sentence).toBe(
      'After 1 day and 0 subjects nothing can be said of NDCG; more than 3 % is not shown yet.',
    );
  });
  test('what is shown by then is promoted', () => {
    expect(decided(sumsOf(4_000, BETTER), days(28)).decision).toBe('promote');
  });
});

describe('what it says', () => {
  test('is a plain sentence, with how long it will take from here', () => {
    expect(decided(sumsOf(2_105, ndcg(0.6246)), days(3), { ramp: [0.5] }).sentence).toMatch(
      /^After 3 days and 4,210 subjects NDCG is 4\.1 % better \(between 0\.\d % and 7\.\d %\); more than 3 % is not shown yet, about \d+ days more\.$/,
    );
  });
  test('is that an end is not in sight where the gain itself is less than is asked for', () => {
    expect(decided(sumsOf(2_000, ndcg(0.606))).sentence).toMatch(
      /more than 3 % is not shown yet, and is not in sight\.$/,
    );
  });
  test('promises no less than it takes: with so many subjects more it is shown', () => {
    const perDay = 1_000;
    const early = decided(sumsOf(2 * perDay, ndcg(0.63)), days(2), { ramp: [0.5] });
    const more = Number(/about (\d+) days? more/.exec(early.sentence)?.[1]);
    expect(more).toBeGreaterThan(2);
    const then = (count: number) =>
      decided(sumsOf(count * perDay, ndcg(0.63)), days(count), { minimumMs: 0, wholeWeek: false });
    expect(then(2 + more).decision).toBe('promote');
    expect(then(2 + more - 2).decision).toBe('go on');
  });
  test('is what hinders it where the gain is shown', () => {
    expect(decided(sumsOf(4_000, BETTER), days(2)).sentence).toMatch(
      /more than 3 % is shown, but it has run for 2 days, and 7 days are the least; it has not seen every day of the week\.$/,
    );
  });
});

test('phases are compared each for itself: a level that changes between them is no effect', () => {
  const phases = [
    { share: 0.1, champion: armOf(300, ndcg(0.4)), challenger: armOf(300, ndcg(0.4)) },
    { share: 0.5, champion: armOf(2_000, ndcg(0.8)), challenger: armOf(2_000, ndcg(0.8)) },
  ];
  const { estimates } = decided({ ...sumsOf(0, {}), phases });
  expect(estimates[0]?.relative?.value).toBeCloseTo(0, 12);
  expect(estimates[0]?.subjects).toBe(4_600);
});

describe('a group sequential evaluation', () => {
  const grouped = { method: 'group sequential', maximumMs: 20 * DAY } as const;
  test('claims success at its looks only', () => {
    // Every two days, at the first look after that.
    expect(decided(sumsOf(4_000, BETTER), days(8), grouped).decision).toBe('promote');
    const between = decided(sumsOf(4_000, BETTER), days(9), grouped);
    expect(between).toMatchObject({
      decision: 'go on',
      reasons: ['this look is between those at which success may be claimed'],
    });
  });
  test('asks for more early than late, and for less than an interval that may always be looked at', () => {
    const width = (after: number, over: Partial<AbPlan> = grouped) => {
      const { low = 0, high = 0 } = decided(sumsOf(2_000, BETTER), days(after), over).estimates[0]?.relative ?? {};
      return high - low;
    };
    expect(width(4)).toBeGreaterThan(width(10));
    expect(width(10)).toBeGreaterThan(width(20));
    expect(width(20)).toBeLessThan(width(20, {}));
  });
  test('is stopped for harm at any look', () => {
    expect(decided(sumsOf(1_000, ndcg(0.5)), days(9), grouped).decision).toBe('stop for harm');
  });
});
