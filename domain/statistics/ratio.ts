/**
 * Two arms compared by a ratio of two of their subjects' own sums: clicks over answers, dollars over requests. With m = 1 for
 * every subject it is a mean.
 *
 * 1. All that is kept are sums, and merging is adding: parts in any order give what the whole gives.
 * 2. Requests of one subject are not independent, subjects are: every variance is one over subjects, by the delta method.
 * 3. What subjects did before can lower the variance and never moves the expected difference (CUPED; Deng, Xu, Kohavi, Walker,
 *    WSDM 2013), because arms are dealt without looking at it.
 */
import type { RatioSums } from '../../contracts/ab.ts';

/** A subject's sums in its window, y over m, and as long before it, x over w; 0 where it was not there. */
export interface Subject {
  readonly y: number;
  readonly m: number;
  readonly x: number;
  readonly w: number;
}

export interface RatioEstimate {
  readonly value: number;
  /** Of the estimate, not of a subject. */
  readonly variance: number;
  readonly n: number;
}

export interface Pair {
  readonly champion: number;
  readonly challenger: number;
  /** Challenger − champion, and its variance. */
  readonly difference: number;
  readonly variance: number;
  /** Of each arm, and what the two share through the adjustment. */
  readonly variances: { readonly champion: number; readonly challenger: number; readonly shared: number };
  /**
   * As many subjects as would tell as much if they were dealt half and half, so that the variance falls as 1/n in a ramp too:
   * this is what a confidence sequence must be told.
   */
  readonly n: number;
  readonly subjects: { readonly champion: number; readonly challenger: number };
}

const NOTHING = [0, 0, 0, 0] as const;

export const emptyRatio = (): RatioSums => ({ n: 0, sums: NOTHING, products: Array(10).fill(0) });

export const withSubjects = ({ n, sums, products }: RatioSums, subjects: Iterable<Subject>): RatioSums => {
  let [count, sy, sm, sx, sw] = [n, ...sums];
  let [yy = 0, ym = 0, yx = 0, yw = 0, mm = 0, mx = 0, mw = 0, xx = 0, xw = 0, ww = 0] = products;
  for (const { y, m, x, w } of subjects) {
    count += 1;
    sy += y;
    sm += m;
    sx += x;
    sw += w;
    yy += y * y;
    ym += y * m;
    yx += y * x;
    yw += y * w;
    mm += m * m;
    mx += m * x;
    mw += m * w;
    xx += x * x;
    xw += x * w;
    ww += w * w;
  }
  return { n: count, sums: [sy, sm, sx, sw], products: [yy, ym, yx, yw, mm, mx, mw, xx, xw, ww] };
};

export const withSubject = (sums: RatioSums, subject: Subject): RatioSums => withSubjects(sums, [subject]);

export const merged = (a: RatioSums, b: RatioSums): RatioSums => ({
  n: a.n + b.n,
  sums: [a.sums[0] + b.sums[0], a.sums[1] + b.sums[1], a.sums[2] + b.sums[2], a.sums[3] + b.sums[3]],
  products: a.products.map((product, i) => product + (b.products[i] ?? 0)),
});

/** Where the product of two of y, m, x, w stands. */
const PLACE = [
  [0, 1, 2, 3],
  [1, 4, 5, 6],
  [2, 5, 7, 8],
  [3, 6, 8, 9],
] as const;

/** Covariance over subjects of the sums at places i and j. */
const covariance = ({ n, sums, products }: RatioSums, i: number, j: number): number =>
  ((products[PLACE[i]?.[j] ?? 0] ?? 0) - ((sums[i] ?? 0) * (sums[j] ?? 0)) / n) / (n - 1);

/** A ratio of the sums at `over` and after it, as a sum over subjects: to first order (s − ratio × t) / mean of t of each. */
interface Linear {
  readonly at: number;
  readonly ratio: number;
  readonly mean: number;
}
const linear = ({ n, sums }: RatioSums, at: 0 | 2): Linear | null => {
  const [over = 0, under = 0] = sums.slice(at);
  return under > 0 ? { at, ratio: over / under, mean: under / n } : null;
};
const between = (sums: RatioSums, a: Linear, b: Linear): number =>
  (covariance(sums, a.at, b.at) -
    b.ratio * covariance(sums, a.at, b.at + 1) -
    a.ratio * covariance(sums, a.at + 1, b.at) +
    a.ratio * b.ratio * covariance(sums, a.at + 1, b.at + 1)) /
  (a.mean * b.mean);

export const ratioOf = (sums: RatioSums): RatioEstimate | null => {
  const after = linear(sums, 0);
  if (sums.n < 2 || !after) return null;
  return { value: after.ratio, variance: Math.max(0, between(sums, after, after)) / sums.n, n: sums.n };
};

/** Variances over subjects of one arm: of its ratio, of the one before, and what the two share. */
interface Arm {
  readonly n: number;
  readonly value: number;
  readonly before: number;
  readonly weight: number;
  readonly vy: number;
  readonly vx: number;
  readonly c: number;
}
const armOf = (sums: RatioSums): Arm | null => {
  const [after, before] = [linear(sums, 0), linear(sums, 2)];
  if (sums.n < 2 || !after) return null;
  const vy = Math.max(0, between(sums, after, after));
  const plain = { n: sums.n, value: after.ratio, before: 0, weight: 0, vy, vx: 0, c: 0 };
  if (!before) return plain;
  const vx = Math.max(0, between(sums, before, before));
  return { ...plain, before: before.ratio, weight: sums.sums[3], vx, c: between(sums, after, before) };
};

/**
 * One theta for both arms, from the spread within each: an arm of few subjects would fit a theta of its own to its noise.
 * Without a pre-period on either arm it is 0, which adjusts nothing.
 */
const thetaOf = (a: Arm, b: Arm): number => {
  const spread = (a.n - 1) * a.vx + (b.n - 1) * b.vx;
  return a.weight > 0 && b.weight > 0 && spread > 0 ? ((a.n - 1) * a.c + (b.n - 1) * b.c) / spread : 0;
};

/** Null while an arm has fewer than two subjects, or nothing to divide by. */
export const adjustedPair = (champion: RatioSums, challenger: RatioSums): Pair | null => {
  const [a, b] = [armOf(champion), armOf(challenger)];
  if (!a || !b) return null;
  const theta = thetaOf(a, b);
  // Both arms are moved to the ratio that they had together before; this is the share of each in it.
  const wa = a.weight + b.weight > 0 ? a.weight / (a.weight + b.weight) : 0.5;
  const wb = 1 - wa;
  const apart = theta * (b.before - a.before);
  const [va, vb, ca, cb] = [a.vy / a.n, b.vy / b.n, a.c / a.n, b.c / b.n];
  const px = theta ** 2 * (a.vx / a.n + b.vx / b.n);
  const variances = {
    champion: va - 2 * theta * wb * ca + wb ** 2 * px,
    challenger: vb - 2 * theta * wa * cb + wa ** 2 * px,
    shared: theta * (wa * ca + wb * cb) - wa * wb * px,
  };
  return pairOf({
    champion: a.value + wb * apart,
    challenger: b.value - wa * apart,
    variances,
    n: (4 * a.n * b.n) / (a.n + b.n),
    subjects: { champion: a.n, challenger: b.n },
  });
};

const pairOf = (pair: Omit<Pair, 'difference' | 'variance'>): Pair => ({
  ...pair,
  difference: pair.challenger - pair.champion,
  variance: Math.max(0, pair.variances.champion + pair.variances.challenger - 2 * pair.variances.shared),
});

/** Challenger against champion, relative: −0.03 is 3 % less. Null where the champion's is not above 0. */
export const relativeOf = ({ champion, challenger, variances, n }: Pair): RatioEstimate | null => {
  if (!(champion > 0)) return null;
  const ratio = challenger / champion;
  const variance = variances.challenger + ratio ** 2 * variances.champion - 2 * ratio * variances.shared;
  return { value: ratio - 1, variance: Math.max(0, variance) / champion ** 2, n };
};

/**
 * Phases of a ramp as one comparison; within each the share is constant, so a trend over time is not taken for an effect.
 * The weight of a phase is a·b/(a+b) of its subjects (Cochran): the inverse variance where subjects vary alike, but known
 * before any outcome is. The inverse of an estimated variance would favour the phases that happened to look quiet, without
 * limit where the first subjects of a small arm are all alike; and plain counts would let a phase with a handful of
 * challengers decide the width.
 */
export const stratified = (pairs: ReadonlyArray<Pair | null>): Pair | null => {
  const phases = pairs.filter((pair) => pair !== null);
  const n = phases.reduce((total, phase) => total + phase.n, 0);
  if (n === 0) return null;
  const sum = (of: (phase: Pair) => number, power = 1): number =>
    phases.reduce((total, phase) => total + (phase.n / n) ** power * of(phase), 0);
  return pairOf({
    champion: sum(({ champion }) => champion),
    challenger: sum(({ challenger }) => challenger),
    variances: {
      champion: sum(({ variances }) => variances.champion, 2),
      challenger: sum(({ variances }) => variances.challenger, 2),
      shared: sum(({ variances }) => variances.shared, 2),
    },
    n,
    subjects: {
      champion: phases.reduce((total, { subjects }) => total + subjects.champion, 0),
      challenger: phases.reduce((total, { subjects }) => total + subjects.challenger, 0),
    },
  });
};
