/**
 * An interval that may be looked at whenever one likes: it covers the truth at all looks at once with probability 1 − alpha
 * (the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 2024).
 *
 * 1. It holds for every estimate that is a mean to first order, whatever the distribution, once the mean is nearly normal:
 *    whoever decides by it waits for some hundreds of subjects on each arm. That the first few were all alike (variance 0)
 *    is taken for certainty, and of a very skewed metric whose challenger has a tenth of the subjects it errs a little more
 *    than it says; arms that are dealt evenly cancel the skewness (`bench sequential`).
 * 2. `variance` is that of the estimate, and `n` × `variance` must not drift: in a ramp n is what `Pair.n` says, not a head count.
 * 3. `planned` only says where it is narrowest; before and after, and without an end, it holds as well.
 */
export interface Accuracy {
  /** Of the estimate. */
  readonly variance: number;
  readonly n: number;
  readonly alpha: number;
  /** The n for which it shall be narrowest. */
  readonly planned: number;
}

const STEPS = 100;

/**
 * n·ρ² where the interval is narrowest: the root of u = ln(u + 1) − 2 ln alpha, which is −W₋₁(−alpha²/e) − 1 by Lambert's
 * function. Each step of the iteration comes nearer by the factor 1/(1 + u).
 */
const narrowestAt = (alpha: number): number => {
  let u = -2 * Math.log(alpha) + 1;
  for (let step = 0; step < STEPS; step += 1) {
    const next = Math.log1p(u) - 2 * Math.log(alpha);
    if (Math.abs(next - u) <= 1e-15 * u) break;
    u = next;
  }
  return u;
};

/** Squared, per subject and in units of its variance: the spread of the effects that the sequence is mixed over. */
export const rho2 = (alpha: number, planned: number): number => narrowestAt(alpha) / planned;

export const halfWidth = ({ variance, n, alpha, planned }: Accuracy): number => {
  if (!(n > 0)) return Number.POSITIVE_INFINITY;
  const u = n * rho2(alpha, planned);
  return Math.sqrt(variance * ((u + 1) / u) * (Math.log1p(u) - 2 * Math.log(alpha)));
};
