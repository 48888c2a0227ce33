/**
 * How far the values of a challenger lie from those of its baseline. Three kinds of values are compared by what can move in
 * them:
 *
 * 1. Values that vary freely, such as latencies: by the Hodges-Lehmann shift, which no tail can pull.
 * 2. Noughts and ones, such as errors: by the difference of their shares. The median of their differences would stay at zero
 *    until half of all requests fail.
 * 3. Values of which many are equal, such as NDCG with its noughts and ones: by their means, for the same reason.
 */
import { mean } from '../intervals.ts';
import { median, percentile } from '../percentile.ts';
import { hodgesLehmann, mannWhitney, welch } from '../statistics/rank-test.ts';
import { shareDifference } from '../statistics/share-difference.ts';

/** From this share of equal pairs on, the median of differences sticks to zero. */
const TIED = 0.05;
/** Between these percentiles nothing is left out, however close the quartiles are. So of fewer than 100 values none is. */
const KEPT = [0.01, 0.99] as const;

export type Kind = 'shift' | 'share' | 'mean';

export interface Comparison {
  readonly kind: Kind;
  /** Challenger − baseline, with its interval. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
  /** What a relative difference is relative to: the baseline's median, or its mean where means are compared. */
  readonly scale: number;
}

export const finite = (values: readonly number[]): readonly number[] => values.filter(Number.isFinite);

/** Without what lies further than so many interquartile ranges from the quartiles. */
export const withoutOutliers = (values: readonly number[], ranges: number | null): readonly number[] => {
  if (ranges === null || values.length === 0) return values;
  const sorted = values.toSorted((a, b) => a - b);
  const [first, third] = [percentile(sorted, 0.25), percentile(sorted, 0.75)];
  const low = Math.min(percentile(sorted, KEPT[0]), first - ranges * (third - first));
  const high = Math.max(percentile(sorted, KEPT[1]), third + ranges * (third - first));
  return values.filter((value) => value >= low && value <= high);
};

const kindOf = (a: readonly number[], b: readonly number[]): Kind => {
  const yesOrNo = (value: number): boolean => value === 0 || value === 1;
  if (a.every(yesOrNo) && b.every(yesOrNo)) return 'share';
  return equalPairs(a, b) > TIED ? 'mean' : 'shift';
};

/** What values like these are compared by, with others like them. */
export const kindOfAll = (values: readonly number[]): Kind => {
  if (kindOf(values, values) === 'share') return 'share';
  const n = values.length;
  // That each value equals itself says nothing.
  return n > 1 && (equalPairs(values, values) * n - 1) / (n - 1) > TIED ? 'mean' : 'shift';
};

/** Null where there are too few values for an interval of this confidence. */
export const compared = (a: readonly number[], b: readonly number[], confidence: number): Comparison | null => {
  if (a.length === 0 || b.length === 0) return null;
  const kind = kindOf(a, b);
  const found = BY_KIND[kind](a, b, confidence);
  if (!found || !Number.isFinite(found.low)) return null;
  return { ...found, kind, scale: Math.abs(kind === 'shift' ? median(b) : mean(b)) };
};

type Found = Pick<Comparison, 'difference' | 'low' | 'high' | 'p'>;
const BY_KIND: Record<Kind, (a: readonly number[], b: readonly number[], confidence: number) => Found | null> = {
  shift: (a, b, confidence) => {
    const { shift, low, high } = hodgesLehmann(a, b, confidence);
    return { difference: shift, low, high, p: mannWhitney(a, b).p };
  },
  share: (a, b, confidence) => {
    const counted = (values: readonly number[]) => ({
      hits: values.filter((value) => value === 1).length,
      n: values.length,
    });
    return { ...shareDifference(counted(a), counted(b), confidence), p: mannWhitney(a, b).p };
  },
  mean: (a, b, confidence) => welch(a, b, confidence),
};

const equalPairs = (a: readonly number[], b: readonly number[]): number => {
  const times = new Map<number, number>();
  for (const value of a) times.set(value, (times.get(value) ?? 0) + 1);
  return b.reduce((sum, value) => sum + (times.get(value) ?? 0), 0) / (a.length * b.length);
};
