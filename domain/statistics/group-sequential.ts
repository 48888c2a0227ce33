/**
 * Boundaries for a test that is looked at a few times on the way to a sample that was fixed before (Lan and DeMets, Biometrika
 * 1983): how much of alpha has been spent by each look follows from the information it has, so looks need not be planned.
 *
 * 1. Two-sided and symmetric, half of alpha on each side. The first boundary to be crossed decides, either way.
 * 2. A look's boundary depends on the looks before it, never on those after: more may be added.
 * 3. By numerical integration over the paths that have crossed nothing so far (Armitage, McPherson and Rowe 1969), in which by
 *    symmetry one half stands for both.
 * 4. It takes z for normal at every look and leaves no margin for what is not: with a skewed metric and arms of 90 to 10 it
 *    errs half as often again as it says (`bench sequential`). Arms that are dealt evenly cancel the skewness.
 */
import { normalDensity, normalQuantile, normalSf } from './special.ts';

export const SPENDINGS = ['obrien-fleming', 'pocock'] as const;
export type Spending = (typeof SPENDINGS)[number];

/** Alpha of two sides that may be spent by a share t of the information. */
const SPENT: Readonly<Record<Spending, (t: number, alpha: number) => number>> = {
  'obrien-fleming': (t, alpha) => 4 * normalSf(-normalQuantile(alpha / 4) / Math.sqrt(t)),
  pocock: (t, alpha) => alpha * Math.log1p((Math.E - 1) * t),
};

/** What is less than this is not spent, but kept for a later look: nobody's z is beyond 8. */
const LEAST_SPENT = 1e-15;
/** Less new information than this is no look: the steps of the integration are as small as what is new. */
const LEAST_NEWS = 1e-4;
const LEGENDRE = 16;
/** Panels of so many standard deviations of a step: within one, what is integrated is nearly a polynomial. */
const PANEL = 3;
const NEWTON_STEPS = 60;

/** Where the sum of what came until a look may stand, uncrossed, with the density of it times the weight of the node. */
interface Paths {
  readonly at: Float64Array;
  readonly mass: Float64Array;
}
const START: Paths = { at: Float64Array.of(0), mass: Float64Array.of(0.5) };

/** Nodes and weights on [−1, 1], by Newton's method on the Legendre polynomial. */
const legendre = (size: number): ReadonlyArray<{ readonly at: number; readonly weight: number }> =>
  Array.from({ length: size }, (_, i) => {
    let at = Math.cos((Math.PI * (i + 0.75)) / (size + 0.5));
    let slope = 1;
    for (let step = 0; step < 10; step += 1) {
      let [before, value] = [1, at];
      for (let k = 2; k <= size; k += 1) [before, value] = [value, ((2 * k - 1) * at * value - (k - 1) * before) / k];
      slope = (size * (at * value - before)) / (at * at - 1);
      at -= value / slope;
    }
    return { at, weight: 2 / ((1 - at * at) * slope * slope) };
  });
const NODES = legendre(LEGENDRE);

/** The paths that stay within ±limit after a step with this standard deviation; those above zero. */
const onwards = ({ at, mass }: Paths, sd: number, limit: number): Paths => {
  const panels = Math.ceil(limit / (PANEL * sd));
  const width = limit / panels;
  const next = { at: new Float64Array(panels * LEGENDRE), mass: new Float64Array(panels * LEGENDRE) };
  for (let node = 0; node < next.at.length; node += 1) {
    const { at: within = 0, weight = 0 } = NODES[node % LEGENDRE] ?? {};
    const y = width * (Math.floor(node / LEGENDRE) + (within + 1) / 2);
    let density = 0;
    for (let i = 0; i < at.length; i += 1) {
      const x = at[i] ?? 0;
      density += (mass[i] ?? 0) * (normalDensity((y - x) / sd) + normalDensity((y + x) / sd));
    }
    next.at[node] = y;
    next.mass[node] = ((density / sd) * weight * width) / 2;
  }
  return next;
};

/** Probability, of both sides, to be beyond ±limit after a step; and how fast it falls with the limit. */
const beyond = ({ at, mass }: Paths, sd: number, limit: number): { readonly p: number; readonly slope: number } => {
  let [p, slope] = [0, 0];
  for (let i = 0; i < at.length; i += 1) {
    const [near, far] = [(limit - (at[i] ?? 0)) / sd, (limit + (at[i] ?? 0)) / sd];
    p += 2 * (mass[i] ?? 0) * (normalSf(near) + normalSf(far));
    slope += (2 * (mass[i] ?? 0) * (normalDensity(near) + normalDensity(far))) / sd;
  }
  return { p, slope };
};

/** Newton's steps on the logarithm, which is nearly straight, kept between ends that are known. */
const limitFor = (paths: Paths, sd: number, target: number, furthest: number): number => {
  let [low, high] = [0, furthest];
  let limit = furthest / 3;
  for (let step = 0; step < NEWTON_STEPS && high - low > 1e-14 * furthest; step += 1) {
    const { p, slope } = beyond(paths, sd, limit);
    if (p > target) low = limit;
    else high = limit;
    const next = slope > 0 ? limit + (p * Math.log(p / target)) / slope : low;
    if (Math.abs(next - limit) <= 1e-15 * furthest) return limit;
    limit = next > low && next < high ? next : (low + high) / 2;
  }
  return limit;
};

/**
 * The |z| that decides at each look; Infinity at one that may not decide, because it brings nothing new or comes too early.
 * Looks are shares of the planned information, in order; at 1 and beyond all of alpha is spent.
 */
export const boundaries = ({
  looks,
  alpha,
  spending,
}: {
  readonly looks: readonly number[];
  readonly alpha: number;
  readonly spending: Spending;
}): number[] => {
  let [paths, before, spent] = [START, 0, 0];
  return looks.map((look) => {
    const t = Math.min(1, look);
    const target = t > 0 ? SPENT[spending](t, alpha) - spent : 0;
    if (!(t - before > LEAST_NEWS && target > LEAST_SPENT)) return Number.POSITIVE_INFINITY;
    const sd = Math.sqrt(t - before);
    const limit = limitFor(paths, sd, target, 9 * Math.sqrt(t));
    paths = onwards(paths, sd, limit);
    [before, spent] = [t, spent + target];
    return limit / Math.sqrt(t);
  });
};

/** Without an effect, the probability of having crossed a boundary by each look: the error that boundaries have. */
export const crossed = (looks: readonly number[], bounds: readonly number[]): number[] => {
  let [paths, before, total] = [START, 0, 0];
  return looks.map((t, i) => {
    const bound = bounds[i] ?? Number.POSITIVE_INFINITY;
    if (bound === Number.POSITIVE_INFINITY) return total;
    const [sd, limit] = [Math.sqrt(t - before), bound * Math.sqrt(t)];
    total += beyond(paths, sd, limit).p;
    paths = onwards(paths, sd, limit);
    before = t;
    return total;
  });
};
