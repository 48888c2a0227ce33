/**
 * A quantile with an interval that may be looked at whenever one likes, whatever the distribution (Howard and Ramdas,
 * Bernoulli 2022, with their beta-binomial mixture).
 *
 * 1. How many values are below the true quantile is a count of coin throws. A mixture over coins with another share says at
 *    every n which counts are too unlikely; what is left are the ranks between which the quantile is, at all n at once.
 * 2. It holds exactly, for few values too; there is no normal approximation in it.
 * 3. What it looks at is a histogram that merges: the ends are those of buckets, so its accuracy widens the interval and
 *    never moves it off the truth.
 * 4. Values count as independent. Of requests of one subject that is not so: whoever compares arms dealt by subject keeps a
 *    histogram of one value a subject.
 */
import type { Reading } from '../../contracts/vitals.ts';
import { logGammaOf } from '../beta.ts';
import { type LatencyHistogram, latencyBounds, latencyReading } from '../latency-histogram.ts';
import { rho2 } from './confidence-sequence.ts';

export interface QuantilePlan {
  /** 0.95: the 95th percentile. */
  readonly share: number;
  readonly alpha: number;
  /** The number of values for which the interval shall be narrowest. */
  readonly planned: number;
}

const logBeta = (a: number, b: number): number => logGammaOf(a) + logGammaOf(b) - logGammaOf(a + b);

/** The quantile lies between the values of these ranks, counted from 1; 0 and n + 1 are beyond all values. */
export const quantileRanks = (
  n: number,
  { share, alpha, planned }: QuantilePlan,
): { readonly low: number; readonly high: number } => {
  // A beta distribution about the share, as wide as the effects that a normal mixture would be tuned to.
  const weight = Math.max(1, 1 / rho2(alpha, planned) - 1);
  const [a, b] = [weight * share, weight * (1 - share)];
  const none = logBeta(a, b);
  const refused = (below: number): boolean =>
    logBeta(a + below, b + n - below) - none - below * Math.log(share) - (n - below) * Math.log1p(-share) >=
    -Math.log(alpha);
  const likely = Math.round(share * n);
  return { low: furthest(likely, 0, refused), high: furthest(likely, n, refused) + 1 };
};

/** The last count on the way from one to the other that is not refused; what is refused lies beyond it. */
const furthest = (from: number, to: number, refused: (count: number) => boolean): number => {
  if (!refused(to)) return to;
  let [kept, lost] = [from, to];
  while (Math.abs(lost - kept) > 1) {
    const middle = Math.trunc((kept + lost) / 2);
    if (refused(middle)) lost = middle;
    else kept = middle;
  }
  return kept;
};

/** Null as long as there are too few values for an end on both sides. */
export const quantileReading = (histogram: LatencyHistogram, plan: QuantilePlan): Reading | null => {
  const ranks = quantileRanks(histogram.n, plan);
  const [below, above] = [latencyBounds(histogram, ranks.low), latencyBounds(histogram, ranks.high)];
  const value = latencyReading(histogram, plan.share)?.value;
  return below && above && value !== undefined ? { value, n: histogram.n, low: below.low, high: above.high } : null;
};

/** Of the challenger's quantile relative to the champion's; half of alpha goes to each of them. */
export const quantileChange = (
  champion: LatencyHistogram,
  challenger: LatencyHistogram,
  plan: QuantilePlan,
): Reading | null => {
  const each = { ...plan, alpha: plan.alpha / 2 };
  const [a, b] = [quantileReading(champion, each), quantileReading(challenger, each)];
  return a && b
    ? { value: b.value / a.value - 1, n: a.n + b.n, low: b.low / a.high - 1, high: b.high / a.low - 1 }
    : null;
};
