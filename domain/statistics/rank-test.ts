/**
 * Whether one sample lies higher than another, and by how much, whatever their distribution: Mann and Whitney (1947), with
 * the shift and its interval by Hodges and Lehmann (1963); and Welch's test (1947) for means.
 *
 * 1. Small samples without ties are judged by the exact distribution of U, others by the normal one, corrected for ties and
 *    for continuity.
 * 2. The shift is the median of all differences a − b, its ends are other differences of them. They are selected, never
 *    listed: 2,000 values against 2,000 have four million.
 */
import { mean } from '../intervals.ts';
import { normalQuantile, normalSf, studentQuantile, studentSf } from './special.ts';

/** Up to here all counts of the exact distribution are whole numbers that a double holds: there are at most 50 over 25. */
const SMALL = 25;

export interface RankTest {
  /** Pairs in which the value of `a` is larger; a tie is half of one. */
  readonly u: number;
  /** Two-sided. */
  readonly p: number;
}
export interface Shift {
  readonly shift: number;
  readonly low: number;
  readonly high: number;
}

const ascending = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();

export const mannWhitney = (
  a: readonly number[],
  b: readonly number[],
  how: 'exact' | 'asymptotic' = isSmall(a, b) ? 'exact' : 'asymptotic',
): RankTest => {
  const [m, n] = [a.length, b.length];
  const [x, y] = [ascending(a), ascending(b)];
  const u = (pairs(x, y, 0, 'below') + pairs(x, y, 0, 'up to')) / 2;
  // Above zero are those of `a`; pairs() counts from below.
  const ofA = m * n - u;
  const further = Math.max(u, ofA);
  if (how === 'exact') return { u: ofA, p: Math.min(1, 2 * shareFrom(m, n, further)) };
  const sigma = spread(m, n, tiesIn(Float64Array.from([...a, ...b]).sort()));
  return { u: ofA, p: sigma === 0 ? 1 : Math.min(1, 2 * normalSf((further - (m * n) / 2 - 0.5) / sigma)) };
};

/** Median of all differences a − b, and what encloses it so often; an infinite end says that there are too few values. */
export const hodgesLehmann = (
  a: readonly number[],
  b: readonly number[],
  confidence: number,
  how: 'exact' | 'asymptotic' = isSmall(a, b) ? 'exact' : 'asymptotic',
): Shift => {
  const [x, y] = [ascending(a), ascending(b)];
  const all = x.length * y.length;
  const at = (place: number): number => difference(x, y, place);
  const shift = all % 2 === 1 ? at((all + 1) / 2) : (at(all / 2) + at(all / 2 + 1)) / 2;
  const outside = (1 - confidence) / 2;
  const place = how === 'exact' ? exactPlace(x.length, y.length, outside) : normalPlace(x, y, outside);
  if (place < 1) return { shift, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return { shift, low: at(place), high: at(all + 1 - place) };
};

export interface MeanTest {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly t: number;
  readonly df: number;
  readonly p: number;
}

/** Of the means a − b, whose variances may differ; null with fewer than two values on a side. */
export const welch = (a: readonly number[], b: readonly number[], confidence: number): MeanTest | null => {
  if (a.length < 2 || b.length < 2) return null;
  const difference = mean(a) - mean(b);
  const [va, vb] = [varianceOfMean(a), varianceOfMean(b)];
  const error = Math.sqrt(va + vb);
  // All values of each side are the same: nothing varies, so a difference is certain.
  if (error === 0) {
    const t = difference === 0 ? 0 : Math.sign(difference) * Number.POSITIVE_INFINITY;
    return { difference, low: difference, high: difference, t, df: 1, p: difference === 0 ? 1 : 0 };
  }
  const df = (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
  const t = difference / error;
  const margin = error * studentQuantile((1 + confidence) / 2, df);
  return { difference, low: difference - margin, high: difference + margin, t, df, p: 2 * studentSf(Math.abs(t), df) };
};

const varianceOfMean = (values: readonly number[]): number => {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1) / values.length;
};

const isSmall = (a: readonly number[], b: readonly number[]): boolean =>
  a.length <= SMALL && b.length <= SMALL && new Set([...a, ...b]).size === a.length + b.length;

/** Differences x − y that are below a limit, or up to it. Both ascend, so what counts for one x counts for those before it. */
const pairs = (x: Float64Array, y: Float64Array, limit: number, which: 'below' | 'up to'): number => {
  const upTo = which === 'up to';
  let count = 0;
  let first = 0;
  for (const value of x) {
    for (; first < y.length; first += 1) {
      const off = value - (y[first] as number);
      if (off < limit || (upTo && off === limit)) break;
    }
    if (first === y.length) break;
    count += y.length - first;
  }
  return count;
};

/** So many halvings between two tries whether one difference is all that is left. */
const HALVINGS = 8;

/** The difference at this place, 1 being the least. */
const difference = (x: Float64Array, y: Float64Array, place: number): number => {
  const end = (values: Float64Array, last: boolean): number => values[last ? values.length - 1 : 0] ?? Number.NaN;
  const reaches = (limit: number): boolean => pairs(x, y, limit, 'up to') >= place;
  let [low, high] = [end(x, false) - end(y, true), end(x, true) - end(y, false)];
  if (!(low < high) || reaches(low)) return low;
  // Kept true: low does not reach the place, and high does.
  for (let step = 1; ; step += 1) {
    const middle = low + (high - low) / 2;
    const apart = low < middle && middle < high;
    if (!apart || step % HALVINGS === 0) {
      const next = nextDifference(x, y, low);
      if (!apart || reaches(next)) return next;
      low = next;
    } else if (reaches(middle)) high = middle;
    else low = middle;
  }
};

/** The least difference above one. */
const nextDifference = (x: Float64Array, y: Float64Array, above: number): number => {
  let least = Number.POSITIVE_INFINITY;
  let first = 0;
  for (const value of x) {
    while (first < y.length && value - (y[first] as number) > above) first += 1;
    const off = first === 0 ? Number.POSITIVE_INFINITY : value - (y[first - 1] as number);
    if (off < least) least = off;
  }
  return least;
};

/** Σ t³ − t over values that occur t times. */
const tiesIn = (sorted: Float64Array): number => {
  let sum = 0;
  for (let start = 0; start < sorted.length; ) {
    let end = start + 1;
    while (end < sorted.length && sorted[end] === sorted[start]) end += 1;
    sum += (end - start) ** 3 - (end - start);
    start = end;
  }
  return sum;
};

/** Standard deviation of U where neither side lies higher. */
const spread = (m: number, n: number, ties: number): number => {
  const all = m + n;
  return Math.sqrt(((m * n) / 12) * (all + 1 - ties / (all * (all - 1))));
};

/**
 * How many pairs of samples of these sizes have a U of 0, 1, 2, …: the coefficients of a Gaussian binomial, by multiplying
 * with 1 − q^(n+i) and dividing by 1 − q^i.
 */
const countsByU = (m: number, n: number): Float64Array => {
  const counts = new Float64Array(m * n + 1);
  counts[0] = 1;
  for (let i = 1; i <= m; i += 1) {
    for (let u = m * n; u >= n + i; u -= 1) counts[u] = (counts[u] as number) - (counts[u - n - i] as number);
    for (let u = i; u <= m * n; u += 1) counts[u] = (counts[u] as number) + (counts[u - i] as number);
  }
  return counts;
};

/** Probability of a U of at least this, or of one as far out below. */
const shareFrom = (m: number, n: number, u: number): number => {
  const counts = countsByU(m, n);
  const all = counts.reduce((sum, count) => sum + count, 0);
  // It is symmetric; from the short end it is one sum of whole numbers.
  return counts.slice(0, m * n - Math.ceil(u) + 1).reduce((sum, count) => sum + count, 0) / all;
};

/** The quantile of U, as an end of the interval (Bauer 1972); 0 where even the widest would hold it too rarely. */
const exactPlace = (m: number, n: number, outside: number): number => {
  const counts = countsByU(m, n);
  const all = counts.reduce((sum, count) => sum + count, 0);
  let place = 0;
  for (let below = 0; place < counts.length; place += 1) {
    below += counts[place] as number;
    if (below / all >= outside) break;
  }
  return place;
};

/** Where the standardised U, with its correction for continuity, passes the normal quantile. */
const normalPlace = (x: Float64Array, y: Float64Array, outside: number): number => {
  const [m, n] = [x.length, y.length];
  // Once shifted by anything but a difference, no value of the one side ties with the other.
  const sigma = spread(m, n, tiesIn(x) + tiesIn(y));
  return Math.floor((m * n) / 2 + 0.5 - sigma * -normalQuantile(outside));
};
