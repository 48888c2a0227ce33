/**
 * Latencies as counts in buckets that grow by a constant factor (Masson, Rim, Lee, DDSketch, VLDB 2019).
 *
 * 1. A quantile is off by at most `ACCURACY` of itself, for latencies from a microsecond to a day; what lies outside counts as
 *    the nearer end.
 * 2. Merging is adding counts: of parts, in any order, it gives what the whole would have given.
 * 3. It is bounded, however many latencies it holds: there are about 1,300 buckets.
 */
import type { Reading } from '../contracts/vitals.ts';

/** JSON: bucket → how many. */
export interface LatencyHistogram {
  readonly n: number;
  readonly buckets: Readonly<Record<string, number>>;
}

export const ACCURACY = 0.01;
const GROWTH = (1 + ACCURACY) / (1 - ACCURACY);
const [SHORTEST_MS, LONGEST_MS] = [1e-3, 86_400_000];
const Z = 1.959964;

const bucketOf = (ms: number): number =>
  Math.ceil(Math.log(Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ms))) / Math.log(GROWTH));
/** What is furthest from neither end of the bucket, relatively. */
const middleOf = (bucket: number): number => (2 * GROWTH ** bucket) / (GROWTH + 1);

export const latencyHistogram = (latencies: readonly number[]): LatencyHistogram => {
  const counts = new Map<number, number>();
  for (const ms of latencies) {
    const bucket = bucketOf(ms);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return { n: latencies.length, buckets: Object.fromEntries(counts) };
};

export const mergedLatencies = (all: readonly LatencyHistogram[]): LatencyHistogram => {
  const buckets: Record<string, number> = {};
  for (const part of all) {
    for (const [bucket, count] of Object.entries(part.buckets)) buckets[bucket] = (buckets[bucket] ?? 0) + count;
  }
  return { n: all.reduce((total, { n }) => total + n, 0), buckets };
};

/** With the order statistics that enclose it 95 times in 100, as percentileReading has them. */
export const latencyReading = ({ n, buckets }: LatencyHistogram, share: number): Reading | null => {
  if (n === 0) return null;
  const sorted = Object.entries(buckets)
    .map(([bucket, count]) => ({ bucket: Number(bucket), count }))
    .sort((a, b) => a.bucket - b.bucket);
  const at = (place: number): number => {
    let before = 0;
    for (const { bucket, count } of sorted) {
      before += count;
      if (before > Math.min(n - 1, Math.max(0, place))) return middleOf(bucket);
    }
    return Number.NaN;
  };
  const margin = Z * Math.sqrt(n * share * (1 - share));
  const [low, high] = [at(Math.floor(n * share - margin) - 1), at(Math.ceil(n * share + margin))];
  return { value: at(Math.ceil(n * share) - 1), n, low, high };
};

/** Where the latency with this rank lies, counted from the shortest as 1: above `low`, and at most at `high`. */
export const latencyBounds = (
  { buckets }: LatencyHistogram,
  rank: number,
): { readonly low: number; readonly high: number } | null => {
  let before = 0;
  for (const bucket of Object.keys(buckets)
    .map(Number)
    .sort((a, b) => a - b)) {
    before += buckets[bucket] ?? 0;
    if (rank >= 1 && before >= rank) return { low: GROWTH ** (bucket - 1), high: GROWTH ** bucket };
  }
  return null;
};
