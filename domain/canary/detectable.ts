/**
 * What a canary would notice, said before it starts: the smallest change for the worse that the judge calls worse with a
 * probability of 0.95, given how many values its traffic brings.
 *
 * 1. It is worked out by the judge's own rules, on values of the champion: no distribution is assumed of a latency.
 * 2. Too few values for the judge to say anything notice nothing, whatever happens. That is null, never a large number.
 */
import type { Detectable, JudgedMetric, Judging } from '../../contracts/canary.ts';
import type { Metric } from '../../contracts/vitals.ts';
import { betaBelow, betaQuantile } from '../beta.ts';
import { mean } from '../intervals.ts';
import { percentile } from '../percentile.ts';
import { hodgesLehmann } from '../statistics/rank-test.ts';
import { shareDifference } from '../statistics/share-difference.ts';
import { normalQuantile, studentQuantile } from '../statistics/special.ts';
import { finite, type Kind, kindOfAll, withoutOutliers } from './comparison.ts';
import { sentenceOf } from './detectable-sentence.ts';
import { CERTAIN, sideOf } from './judge.ts';

/** How often a change of the size that is promised is noticed. */
const OFTEN = 0.95;
/** A champion made worse by more than this is not asked about. */
const MOST_TIMES = 1_000;
/** So many quantiles stand for all values of the champion. */
const PILOT = 300;

export interface CanaryTraffic {
  readonly requestsPerMinute: number;
  /** Of the challenger, and of what it is held against; the rest of the traffic where nothing is said. */
  readonly share: number;
  readonly baselineShare?: number;
  /** How long values are collected before they are judged. */
  readonly windowMs: number;
}

/** What the champion is like: values of it, as the judge would get them, or what is known of them. */
export type Champion =
  | { readonly values: readonly number[] }
  | { readonly mean: number; readonly sd: number }
  | { readonly rate: number };

/** `relative` to what the judge compares by; `points` too where it is a share of requests. */
export interface Noticed {
  readonly metric: Metric;
  readonly relative: number | null;
  readonly points: number | null;
  /** Values that the judge will have of each side. */
  readonly values: { readonly challenger: number; readonly baseline: number };
}

export interface Noticing {
  readonly traffic: CanaryTraffic;
  readonly champion: Champion;
  /** Values for each request: 1, or fewer where only some of them are judged. */
  readonly perRequest?: number;
  readonly rule: Pick<JudgedMetric, 'metric' | 'worse' | 'tolerance' | 'outliers'>;
  readonly judging: Pick<Judging, 'confidence' | 'samples'>;
}

export const smallestNoticed = ({ traffic, champion, perRequest = 1, rule, judging }: Noticing): Noticed => {
  const { requestsPerMinute, share, baselineShare = 1 - share, windowMs } = traffic;
  const valuesOf = (part: number): number =>
    Math.max(0, Math.floor((requestsPerMinute * perRequest * part * windowMs) / 60_000 + 1e-9)) || 0;
  const values = { challenger: valuesOf(share), baseline: valuesOf(baselineShare) };
  const none: Noticed = { metric: rule.metric, relative: null, points: null, values };
  if (Math.min(values.challenger, values.baseline) < Math.max(2, judging.samples)) return none;
  const asked: Asked = {
    n: values.challenger,
    m: values.baseline,
    confidence: judging.confidence,
    tolerance: rule.tolerance,
    lower: rule.worse === 'lower',
  };
  const known = knownOf(champion, rule.outliers);
  if (known === null) return none;
  if (known.kind === 'share') {
    const points = sharePoints(known.rate, asked);
    return { ...none, points, relative: points !== null && known.rate > 0 ? points / known.rate : null };
  }
  const relative = known.kind === 'mean' ? meanChange(known, asked) : shiftFactor(known.values, asked);
  // What is never negative cannot fall by more than all of it.
  return { ...none, relative: relative !== null && asked.lower && relative > 1 ? null : relative };
};

interface Asked {
  readonly n: number;
  readonly m: number;
  readonly confidence: number;
  readonly tolerance: number;
  /** Less of it is worse. */
  readonly lower: boolean;
}
type Known =
  | { readonly kind: 'shift'; readonly values: readonly number[] }
  | { readonly kind: 'mean'; readonly mean: number; readonly sd: number }
  | { readonly kind: 'share'; readonly rate: number };

const knownOf = (champion: Champion, outliers: number | null): Known | null => {
  if ('rate' in champion) return { kind: 'share', rate: champion.rate };
  if ('mean' in champion) return { kind: 'mean', ...champion };
  const values = withoutOutliers(finite(champion.values), outliers);
  if (values.length < 2) return null;
  const kind: Kind = kindOfAll(values);
  if (kind === 'shift') return { kind, values: quantilesOf(values) };
  const middle = mean(values);
  if (kind === 'share') return { kind, rate: middle };
  return { kind, mean: middle, sd: Math.sqrt(mean(values.map((value) => (value - middle) ** 2))) };
};

const quantilesOf = (values: readonly number[]): readonly number[] => {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length <= PILOT) return sorted;
  return Array.from({ length: PILOT }, (_, i) => sorted[Math.floor(((i + 0.5) / PILOT) * sorted.length)] ?? 0);
};

/** Whether a difference that scatters by `error` is called worse as often as promised. */
const noticed = (difference: number, error: number, interval: number, least: number): boolean => {
  const seldom = difference - normalQuantile(OFTEN) * error;
  return seldom * (1 - CERTAIN) > interval && seldom >= least;
};

/** The champion held against itself made worse by a factor; how sure the judge is scales with the numbers of values. */
const shiftFactor = (values: readonly number[], { n, m, confidence, tolerance, lower }: Asked): number | null => {
  const z = normalQuantile((1 + confidence) / 2);
  const scale = Math.sqrt((1 / n + 1 / m) / (2 / values.length));
  const least = tolerance * Math.abs(percentile(values, 0.5));
  const isNoticed = (factor: number): boolean => {
    const worse = values.map((value) => value * factor);
    const { shift, low, high } = hodgesLehmann(worse, values, confidence, 'asymptotic');
    const [difference, interval] = lower ? [-shift, high - shift] : [shift, shift - low];
    return noticed(difference, (interval * scale) / z, interval * scale, least);
  };
  const factorAt = (at: number): number => (lower ? 1 - at : MOST_TIMES ** at);
  if (!isNoticed(factorAt(1))) return null;
  let [unseen, seen] = [0, 1];
  for (let step = 0; step < 25; step += 1) {
    const middle = (unseen + seen) / 2;
    if (isNoticed(factorAt(middle))) seen = middle;
    else unseen = middle;
  }
  return Math.abs(factorAt(seen) - 1);
};

const meanChange = (of: { readonly mean: number; readonly sd: number }, asked: Asked): number | null => {
  const { n, m, confidence, tolerance } = asked;
  if (!(Math.abs(of.mean) > 0) || !(of.sd >= 0)) return null;
  const error = of.sd * Math.sqrt(1 / n + 1 / m);
  const interval = error * studentQuantile((1 + confidence) / 2, Math.min(n, m) - 1);
  const least = Math.max(interval / (1 - CERTAIN), tolerance * Math.abs(of.mean));
  return (least + normalQuantile(OFTEN) * error) / Math.abs(of.mean);
};

/**
 * By the judge's own intervals of counts: the fewest hits of the challenger that are called worse against as many of the
 * baseline as chance may give it, then the rate that brings so many. Each of the two is kept by half of what may go wrong.
 */
const sharePoints = (rate: number, { n, m, confidence, tolerance, lower }: Asked): number | null => {
  const seldom = (1 - OFTEN) / 2;
  // Where less is worse, what is missing is counted.
  const before = lower ? 1 - rate : rate;
  if (!(before >= 0 && before < 1)) return null;
  const baseline = { hits: fewest(m, (hits) => 1 - betaBelow(before, hits + 1, m - hits) >= 1 - seldom), n: m };
  const isWorse = (hits: number): boolean => {
    const found = shareDifference({ hits, n }, baseline, confidence);
    return sideOf({ ...found, scale: rate }, tolerance) === 'high';
  };
  if (!isWorse(n)) return null;
  const hits = fewest(n, isWorse);
  const needed = hits === 0 ? 0 : betaQuantile(1 - seldom, hits, n - hits + 1);
  return Math.max(0, needed - before);
};

/** The smallest whole number up to `most` from which on it holds. */
const fewest = (most: number, holds: (value: number) => boolean): number => {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
};

export interface Rung {
  readonly metric: Metric;
  readonly relative?: number;
  readonly points?: number;
}
/** The changes that a canary is tried with. */
export const LADDER: readonly Rung[] = [
  { metric: 'latency', relative: 0.2 },
  { metric: 'latency', relative: 0.5 },
  { metric: 'latency', relative: 2 },
  { metric: 'errors', points: 0.01 },
  { metric: 'errors', points: 0.05 },
  { metric: 'errors', points: 0.2 },
  { metric: 'ndcg', relative: 0.03 },
  { metric: 'ndcg', relative: 0.1 },
];

/** Whether this change would be noticed. What is not known to be, is not. */
export const isNoticed = (rung: Rung, effects: readonly Noticed[]): boolean =>
  effects.some(({ metric, relative, points }) => {
    if (metric !== rung.metric) return false;
    if (rung.points !== undefined) return points !== null && points <= rung.points;
    return relative !== null && rung.relative !== undefined && relative <= rung.relative;
  });

/** The answer in a sentence, and in the figures behind it. */
export const detectableOf = (
  traffic: CanaryTraffic,
  judging: Judging,
  champions: Readonly<Partial<Record<string, { readonly champion: Champion; readonly perRequest?: number }>>>,
): Detectable & { readonly effects: readonly Noticed[] } => {
  const effects = judging.metrics
    .filter(({ muted }) => !muted)
    .map((rule) => smallestNoticed({ traffic, rule, judging, ...(champions[rule.metric] ?? UNKNOWN) }));
  return { requestsPerMinute: traffic.requestsPerMinute, effects, sentence: sentenceOf(traffic, judging, effects) };
};
const UNKNOWN = { champion: { values: [] } };
