import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CanaryJudgement, JudgedMetric, Judging } from '../../contracts/canary.ts';
import { type JudgedSeries, judgeSeries } from '../../domain/canary/judge.ts';

interface Case {
  readonly judging: Judging;
  /** null stands for a value that is not a number. */
  readonly series: ReadonlyArray<{ metric: string; challenger: Array<number | null>; baseline: Array<number | null> }>;
  readonly expected: {
    readonly classes: readonly string[];
    readonly shifts: ReadonlyArray<number | null>;
    readonly outcome: string;
    readonly score: number | null;
  };
}
const { cases }: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../fixtures/statistics/judge.json', import.meta.url), 'utf8'),
);
const measured = (values: ReadonlyArray<number | null>): number[] => values.map((value) => value ?? Number.NaN);

describe('against the published rules, restated in Python over random series', () => {
  test('every metric gets the same class and the same shift', () => {
    for (const { judging, series, expected } of cases) {
      const { metrics } = judge(judging, series);
      expect(metrics.map((one) => one.class)).toEqual(expected.classes);
      for (const [i, { shift }] of metrics.entries()) {
        const should = expected.shifts[i] ?? null;
        if (shift === null || should === null) expect(shift).toBe(should);
        else expect(Math.abs(shift - should)).toBeLessThan(1e-9);
      }
    }
  });

  test('every judgement has the same outcome and the same score', () => {
    const found = cases.map(({ judging, series }) => judge(judging, series));
    expect(found.map(({ outcome }) => outcome)).toEqual(cases.map(({ expected }) => expected.outcome));
    for (const [i, { score }] of found.entries()) {
      const should = cases[i]?.expected.score ?? null;
      expect(score === null ? null : Math.round(score * 1e9)).toBe(should === null ? null : Math.round(should * 1e9));
    }
  });

  test('the series bring about every class and every outcome', () => {
    const all = cases.flatMap(({ expected }) => [expected.outcome, ...expected.classes]);
    expect([...new Set(all)].sort()).toEqual(
      ['failed', 'high', 'inconclusive', 'low', 'no data', 'pass', 'passed'].sort(),
    );
  });
});

const judge = (judging: Judging, series: Case['series']): CanaryJudgement =>
  judgeSeries(
    judging,
    series.map(({ metric, challenger, baseline }) => ({
      metric,
      challenger: measured(challenger),
      baseline: measured(baseline),
    })),
  );

const latency: JudgedMetric = {
  metric: 'latency',
  worse: 'higher',
  weight: 1,
  critical: false,
  mustHave: false,
  muted: false,
  tolerance: 0,
  outliers: null,
};
const ndcg: JudgedMetric = { ...latency, metric: 'ndcg', worse: 'lower' };
const errors: JudgedMetric = { ...latency, metric: 'errors' };
const judging = (...metrics: readonly JudgedMetric[]): Judging => ({
  metrics,
  intervalMs: 10_000,
  count: null,
  delayMs: 0,
  confidence: 0.98,
  samples: 10,
  pass: 75,
  marginal: 50,
});
/** As many values, spread evenly over 50 around the centre. */
const around = (centre: number, n = 60): number[] => Array.from({ length: n }, (_, i) => centre + ((i * 50) / n - 25));
const of = (metric: string, challenger: readonly number[], baseline: readonly number[]): JudgedSeries => ({
  metric,
  challenger,
  baseline,
});
const slower = of('latency', around(150.1), around(100));
const as = of('latency', around(100.1), around(100));
const classOf = (rule: JudgedMetric, series: JudgedSeries): string | undefined =>
  judgeSeries(judging(rule), [series]).metrics[0]?.class;

describe('a metric', () => {
  test('passes where both sides are the same', () => {
    expect(classOf(latency, of('latency', around(100), around(100)))).toBe('pass');
    expect(classOf(latency, as)).toBe('pass');
  });

  test('is worse where the whole interval lies beyond a quarter of the shift', () => {
    expect(classOf(latency, slower)).toBe('high');
    // The interval of this shift of 7 lies above zero, but it begins at about 1.
    const barely = of('latency', around(107.1), around(100));
    const sure = of('latency', around(107.1, 900), around(100, 900));
    expect(judgeSeries(judging(latency), [barely]).metrics[0]?.p).toBeLessThan(0.02);
    expect(classOf(latency, barely)).toBe('pass');
    expect(classOf(latency, sure)).toBe('high');
  });

  test('is only worse on its bad side', () => {
    const faster = of('latency', around(50.1), around(100));
    expect(classOf(latency, faster)).toBe('pass');
    expect(classOf({ ...latency, worse: 'lower' }, faster)).toBe('low');
    expect(classOf({ ...latency, worse: 'lower' }, slower)).toBe('pass');
    expect(classOf({ ...latency, worse: 'either' }, faster)).toBe('low');
    expect(classOf({ ...latency, worse: 'either' }, slower)).toBe('high');
  });

  test('may be certainly different by less than its tolerance', () => {
    expect(classOf({ ...latency, tolerance: 0.45 }, slower)).toBe('high');
    expect(classOf({ ...latency, tolerance: 0.55 }, slower)).toBe('pass');
    expect(judgeSeries(judging({ ...latency, tolerance: 0.55 }), [slower]).metrics[0]?.because).toContain('tolerated');
  });

  test('is compared without what is not a number', () => {
    const holes = [...around(150.1), Number.NaN, Number.POSITIVE_INFINITY];
    const found = judgeSeries(judging(latency), [of('latency', holes, around(100))]).metrics[0];
    expect(found).toMatchObject({ class: 'high', n: { challenger: 60, baseline: 60 } });
    expect(found).toEqual(judgeSeries(judging(latency), [slower]).metrics[0]);
  });

  test('has no data below so many values on either side, or without a series', () => {
    expect(classOf(latency, of('latency', around(150.1, 9), around(100)))).toBe('no data');
    expect(classOf(latency, of('latency', around(150.1), around(100, 9)))).toBe('no data');
    expect(classOf(latency, of('latency', around(150.1, 10), around(100)))).toBe('high');
    expect(classOf(latency, of('ndcg', around(150.1), around(100)))).toBe('no data');
    expect(classOf(latency, of('latency', Array(60).fill(Number.NaN), around(100)))).toBe('no data');
  });

  test('has no data where there is too little for its confidence, whatever the plan asks for', () => {
    const few = of('latency', [150, 160], [100, 101]);
    expect(judgeSeries({ ...judging(latency), samples: 1 }, [few]).metrics[0]?.class).toBe('no data');
    expect(judgeSeries({ ...judging(latency), samples: 0 }, []).metrics[0]?.class).toBe('no data');
  });

  test('is plain JSON with figures, whatever came', () => {
    const found = judgeSeries(judging(latency, ndcg, errors), [slower, of('errors', around(0), Array(60).fill(0))]);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    expect(found.metrics[0]).toMatchObject({
      shift: expect.closeTo(0.5, 1),
      because: expect.stringMatching(/^shifted by \+50\.\d %, 98 % interval \+\d/),
    });
    expect(found.metrics[2]?.shift).toBeNull();
  });
});

describe('outliers', () => {
  // Means are compared here, because many values are equal: those are what an outlier can pull.
  const calm = Array.from({ length: 200 }, (_, i) => i % 5);
  const wild = calm.map((value, i) => (i === 7 ? 5_000 : value));
  test('beyond so many interquartile ranges are left out on both sides', () => {
    const shift = (outliers: number | null, challenger: number[], baseline: number[]) =>
      judgeSeries(judging({ ...latency, outliers }), [of('latency', challenger, baseline)]).metrics[0]?.shift ?? 0;
    expect(shift(null, wild, calm)).toBeGreaterThan(5);
    expect(Math.abs(shift(3, wild, calm))).toBeLessThan(0.05);
    expect(shift(null, calm, wild)).toBeLessThan(-0.5);
    expect(Math.abs(shift(3, calm, wild))).toBeLessThan(0.05);
  });

  test('are measured by their own side, so a challenger that is slow all over keeps its values', () => {
    expect(classOf({ ...latency, outliers: 3 }, of('latency', around(5_000), around(100)))).toBe('high');
  });

  test('are never more than one in a hundred at either end', () => {
    const two = Array.from({ length: 200 }, (_, i) => (i < 150 ? (i % 7) / 7 : 900 + (i % 3)));
    const zero = Array.from({ length: 200 }, (_, i) => (i % 7) / 7);
    expect(classOf({ ...latency, outliers: 0.001 }, of('latency', two, zero))).toBe('high');
    const down = (values: readonly number[]) => values.map((value) => 1_000 - value);
    expect(classOf({ ...ndcg, outliers: 0.001 }, of('ndcg', down(two), down(zero)))).toBe('low');
  });
});

describe('values that are often equal', () => {
  const shares = (hits: number, n: number) => Array.from({ length: n }, (_, i) => (i < hits ? 1 : 0));
  test('noughts and ones are shares: a tenth more errors is seen, though the median of differences is zero', () => {
    expect(classOf(errors, of('errors', shares(24, 200), shares(20, 1_000)))).toBe('high');
    expect(classOf(errors, of('errors', shares(5, 200), shares(20, 1_000)))).toBe('pass');
    expect(classOf(errors, of('errors', shares(30, 30), shares(0, 500)))).toBe('high');
    // Two of a hundred users took something, and none of these twenty: that says nothing yet.
    expect(classOf({ ...errors, worse: 'lower' }, of('errors', shares(0, 20), shares(20, 1_000)))).toBe('pass');
  });

  test('scores with many noughts and ones are compared by their means', () => {
    const scores = (zeros: number, n: number) =>
      Array.from({ length: n }, (_, i) => (i < zeros ? 0 : i % 2 ? 1 : 0.63));
    expect(classOf(ndcg, of('ndcg', scores(120, 400), scores(40, 400)))).toBe('low');
    expect(classOf(ndcg, of('ndcg', scores(44, 400), scores(40, 400)))).toBe('pass');
  });
});

describe('all metrics together', () => {
  const fewer = of('ndcg', around(60.1), around(100));
  const asGood = of('ndcg', around(100.1), around(100));
  const outcome = (rules: readonly JudgedMetric[], ...series: readonly JudgedSeries[]) => {
    const { outcome, score } = judgeSeries(judging(...rules), series);
    return { outcome, score };
  };

  test('the score is the weight of what passed, of all that has data', () => {
    expect(
      outcome(
        [
          { ...latency, weight: 1 },
          { ...ndcg, weight: 3 },
        ],
        slower,
        asGood,
      ).score,
    ).toBe(75);
    expect(
      outcome(
        [
          { ...latency, weight: 3 },
          { ...ndcg, weight: 1 },
        ],
        slower,
        asGood,
      ).score,
    ).toBe(25);
    expect(outcome([latency, ndcg, { ...errors, weight: 8 }], slower, asGood).score).toBe(50);
  });

  test('it passes from `pass` on, fails below `marginal`, and is inconclusive between them', () => {
    const at = (weight: number) =>
      outcome(
        [
          { ...latency, weight: 100 - weight },
          { ...ndcg, weight },
        ],
        slower,
        asGood,
      );
    expect(at(75)).toEqual({ outcome: 'passed', score: 75 });
    expect(at(74)).toEqual({ outcome: 'inconclusive', score: 74 });
    expect(at(50)).toEqual({ outcome: 'inconclusive', score: 50 });
    expect(at(49)).toEqual({ outcome: 'failed', score: 49 });
  });

  test('a critical metric that is worse fails the canary, whatever the score', () => {
    const rules = [{ ...latency, critical: true, weight: 0 }, ndcg];
    expect(outcome(rules, slower, asGood)).toEqual({ outcome: 'failed', score: 0 });
    expect(outcome(rules, as, asGood)).toEqual({ outcome: 'passed', score: 100 });
  });

  test('a muted metric is shown and decides nothing, critical or not, there or not', () => {
    const muted = { ...latency, muted: true, critical: true, mustHave: true };
    expect(judgeSeries(judging(muted, ndcg), [slower, asGood])).toMatchObject({
      outcome: 'passed',
      score: 100,
      metrics: [{ class: 'high' }, { class: 'pass' }],
    });
    expect(outcome([muted, ndcg], asGood).outcome).toBe('passed');
  });

  test('a metric of weight 0 is shown and is no part of the score', () => {
    expect(outcome([{ ...latency, weight: 0 }, ndcg], slower, asGood)).toEqual({ outcome: 'passed', score: 100 });
  });

  test('without a metric that it must have, nothing is judged', () => {
    const rules = [{ ...latency, mustHave: true }, ndcg];
    expect(outcome(rules, asGood)).toEqual({ outcome: 'inconclusive', score: null });
    expect(outcome(rules, fewer)).toEqual({ outcome: 'inconclusive', score: null });
    expect(outcome(rules, as, asGood).outcome).toBe('passed');
  });

  test('what is critically worse fails even where another metric is missing: the worst outcome wins', () => {
    const rules = [
      { ...latency, mustHave: true },
      { ...ndcg, critical: true },
    ];
    expect(outcome(rules, fewer).outcome).toBe('failed');
  });

  test('no data is never a pass: not without any metric, any series, or any weight', () => {
    expect(outcome([])).toEqual({ outcome: 'inconclusive', score: null });
    expect(outcome([latency, ndcg])).toEqual({ outcome: 'inconclusive', score: null });
    expect(outcome([{ ...latency, weight: 0 }], as)).toEqual({ outcome: 'inconclusive', score: null });
    expect(outcome([{ ...latency, muted: true }], as)).toEqual({ outcome: 'inconclusive', score: null });
  });

  test('it says why', () => {
    const because = (rules: readonly JudgedMetric[], ...series: readonly JudgedSeries[]) =>
      judgeSeries(judging(...rules), series).because;
    expect(because([latency, ndcg], slower, asGood)).toBe(
      'scored 50 of 100 (passes from 75, fails below 50); worse: latency',
    );
    expect(because([{ ...latency, critical: true }, ndcg], slower)).toBe('critical and worse: latency');
    expect(because([{ ...latency, mustHave: true }])).toBe('without data, which it must have: latency');
    expect(because([])).toBe('no metric that counts has data');
  });
});
