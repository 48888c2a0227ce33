import { expect, test } from 'vitest';
import type { JudgedMetric, Judging } from '../../contracts/canary.ts';
import { normalDraw } from '../../domain/beta.ts';
import {
  type CanaryTraffic,
  type Champion,
  detectableOf,
  isNoticed,
  LADDER,
  type Noticed,
  smallestNoticed,
} from '../../domain/canary/detectable.ts';
import { judgeSeries } from '../../domain/canary/judge.ts';
import { type Random, seeded } from '../../domain/random.ts';

const latency: JudgedMetric = {
  metric: 'latency',
  worse: 'higher',
  weight: 1,
  critical: true,
  mustHave: true,
  muted: false,
  tolerance: 0.05,
  outliers: 3,
};
const errors: JudgedMetric = { ...latency, metric: 'errors', outliers: null, tolerance: 0 };
const ndcg: JudgedMetric = { ...latency, metric: 'ndcg', worse: 'lower', outliers: null };
const judging: Judging = {
  metrics: [latency, errors, ndcg],
  intervalMs: 10_000,
  count: null,
  delayMs: 0,
  confidence: 0.98,
  samples: 30,
  pass: 75,
  marginal: 50,
};
const traffic: CanaryTraffic = { requestsPerMinute: 120, share: 0.1, windowMs: 300_000 };

const lasting = (random: Random, factor = 1): number => factor * 80 * Math.exp(0.5 * normalDraw(random));
const failing = (random: Random, more = 0): number => (random() < 0.02 + more ? 1 : 0);
const SCORES = [0, 0.3, 0.5, 0.63, 1] as const;
const scoring = (random: Random, factor = 1): number =>
  random() < 0.75 * factor ? (SCORES[1 + Math.floor(random() * 4)] ?? 0) : 0;
const many = (n: number, one: () => number): number[] => Array.from({ length: n }, one);

const random = seeded(5);
const champions = {
  latency: { values: many(3_000, () => lasting(random)) },
  errors: { rate: 0.02 },
  ndcg: { values: many(3_000, () => scoring(random)) },
} satisfies Record<string, Champion>;
const noticedOf = (rule: JudgedMetric, on: Partial<CanaryTraffic> = {}, perRequest = 1): Noticed =>
  smallestNoticed({
    traffic: { ...traffic, ...on },
    champion: champions[rule.metric as keyof typeof champions],
    perRequest,
    rule,
    judging,
  });

/** Of so many canaries that are worse by this, how many the judge calls worse. */
const caught = (rule: JudgedMetric, { values }: Noticed, one: (random: Random, worse: boolean) => number): number => {
  const canaries = 250;
  let count = 0;
  for (let seed = 0; seed < canaries; seed += 1) {
    const random = seeded(1_000 + seed);
    const series = {
      metric: rule.metric,
      challenger: many(values.challenger, () => one(random, true)),
      baseline: many(values.baseline, () => one(random, false)),
    };
    const found = judgeSeries({ ...judging, metrics: [rule] }, [series]).metrics[0]?.class;
    if (found === 'high' || found === 'low') count += 1;
  }
  return count / canaries;
};

test('what is promised to be noticed in 95 of 100 canaries is, and half of it is not', () => {
  const slower = noticedOf(latency);
  const at = (part: number) => (random: Random, worse: boolean) =>
    lasting(random, worse ? 1 + part * (slower.relative ?? 0) : 1);
  expect(slower.values).toEqual({ challenger: 60, baseline: 540 });
  expect(caught(latency, slower, at(1))).toBeGreaterThan(0.92);
  expect(caught(latency, slower, at(0.5))).toBeLessThan(0.8);
});

test('the same holds for errors, in points, from few requests on', () => {
  for (const on of [traffic, { ...traffic, share: 0.5 }, { ...traffic, requestsPerMinute: 500 }]) {
    const more = noticedOf(errors, on);
    const at = (part: number) => (random: Random, worse: boolean) =>
      failing(random, worse ? part * (more.points ?? 0) : 0);
    expect(more.relative).toBeCloseTo((more.points ?? 0) / 0.02, 9);
    expect(caught(errors, more, at(1))).toBeGreaterThan(0.92);
    expect(caught(errors, more, at(0.5))).toBeLessThan(0.8);
  }
});

test('the same holds for NDCG, of which only one request in four is judged', () => {
  const lower = noticedOf(ndcg, { requestsPerMinute: 1_000 }, 0.25);
  const at = (part: number) => (random: Random, worse: boolean) =>
    scoring(random, worse ? 1 - part * (lower.relative ?? 0) : 1);
  expect(lower.values).toEqual({ challenger: 125, baseline: 1_125 });
  expect(caught(ndcg, lower, at(1))).toBeGreaterThan(0.92);
  expect(caught(ndcg, lower, at(0.5))).toBeLessThan(0.8);
});

test('more traffic, a larger share and a longer window each notice less', () => {
  for (const rule of [latency, errors, ndcg]) {
    const { relative } = noticedOf(rule);
    for (const on of [{ requestsPerMinute: 480 }, { share: 0.4 }, { windowMs: 1_200_000 }]) {
      expect(noticedOf(rule, on).relative).toBeLessThan(relative ?? 0);
    }
  }
});

test('a baseline that starts fresh with the same share costs certainty', () => {
  for (const rule of [latency, errors, ndcg]) {
    expect(noticedOf(rule, { baselineShare: 0.1 }).relative).toBeGreaterThan(noticedOf(rule).relative ?? 9);
  }
});

test('nothing below the tolerance is noticed, however much traffic there is', () => {
  const busy = { requestsPerMinute: 1e6 };
  expect(noticedOf({ ...latency, tolerance: 0.3 }, busy).relative).toBeGreaterThan(0.3);
  expect(noticedOf({ ...ndcg, tolerance: 0.3 }, busy).relative).toBeGreaterThan(0.3);
  expect(noticedOf({ ...errors, tolerance: 3 }, busy).points).toBeGreaterThan(0.06);
  expect(noticedOf({ ...latency, tolerance: 0 }, busy).relative).toBeLessThan(0.05);
});

test('too few values for the judge notice nothing, whatever happens', () => {
  for (const rule of [latency, errors, ndcg]) {
    expect(noticedOf(rule, { share: 0.04 })).toMatchObject({ relative: null, points: null });
    expect(noticedOf(rule, { requestsPerMinute: 0 }).relative).toBeNull();
    expect(noticedOf(rule, { share: 0.99, baselineShare: 0.01 }).relative).toBeNull();
  }
  expect(smallestNoticed({ traffic, champion: { values: [] }, rule: latency, judging }).relative).toBeNull();
  expect(smallestNoticed({ traffic, champion: { mean: 0, sd: 0 }, rule: ndcg, judging }).relative).toBeNull();
});

test('what cannot fall far enough cannot be noticed either', () => {
  const champion = { mean: 0.5, sd: 3 };
  expect(smallestNoticed({ traffic, champion, rule: ndcg, judging }).relative).toBeNull();
  expect(smallestNoticed({ traffic, champion, rule: { ...ndcg, worse: 'higher' }, judging }).relative).not.toBeNull();
  const allFail = { rate: 1 };
  expect(smallestNoticed({ traffic, champion: allFail, rule: errors, judging }).points).toBeNull();
});

test('a share of which less is worse is worked out by what it lacks', () => {
  const rule = { ...errors, metric: 'recall', worse: 'lower' } as const;
  const lower = smallestNoticed({ traffic, champion: { rate: 0.98 }, rule, judging });
  expect(lower.points).toBeCloseTo(noticedOf(errors).points ?? 0, 9);
  expect(lower.relative).toBeCloseTo((lower.points ?? 0) / 0.98, 9);
});

test('it says in a sentence what it notices, and what it cannot judge', () => {
  const known = { latency: { champion: champions.latency }, errors: { champion: champions.errors } };
  expect(detectableOf(traffic, judging, known).sentence).toMatch(
    /^With 120 requests a minute and 10 % for the canary, a window of 5 min notices latency \+\d\d % and errors \+\d\d points; less may pass unseen\. It cannot judge ndcg \(nothing is known of it, or nothing is large enough\)\.$/,
  );
  expect(detectableOf({ ...traffic, share: 0.01 }, judging, known).sentence).toBe(
    'With 120 requests a minute and 1 % for the canary, a window of 5 min notices no change. It cannot judge latency (6 values in it, of 30 that are needed), errors (6 values in it, of 30 that are needed) and ndcg (6 values in it, of 30 that are needed).',
  );
});

test('what is said is rounded up, and what falls has a minus', () => {
  const { effects, sentence } = detectableOf({ ...traffic, windowMs: 90_000, requestsPerMinute: 2_000 }, judging, {
    ndcg: { champion: champions.ndcg },
  });
  const said = Number(/ndcg −([\d.]+) %/.exec(sentence)?.[1]);
  const relative = effects.find(({ metric }) => metric === 'ndcg')?.relative ?? 0;
  expect(said / 100).toBeGreaterThanOrEqual(relative);
  expect(said / 100).toBeLessThan(1.1 * relative);
  expect(sentence).toContain('a window of 90 s');
});

test('a muted metric promises nothing', () => {
  const muted = { ...judging, metrics: [{ ...latency, muted: true }] };
  expect(detectableOf(traffic, muted, { latency: { champion: champions.latency } }).effects).toEqual([]);
});

test('a rung of the ladder is noticed where it is no smaller than what its metric promises', () => {
  const values = { challenger: 60, baseline: 540 };
  const effects: Noticed[] = [
    { metric: 'latency', relative: 0.5, points: null, values },
    { metric: 'errors', relative: 5.5, points: 0.11, values },
    { metric: 'ndcg', relative: null, points: null, values },
  ];
  expect(LADDER.filter((rung) => isNoticed(rung, effects))).toEqual([
    { metric: 'latency', relative: 0.5 },
    { metric: 'latency', relative: 2 },
    { metric: 'errors', points: 0.2 },
  ]);
  expect(LADDER.filter((rung) => isNoticed(rung, []))).toEqual([]);
});
