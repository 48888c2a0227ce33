/**
 * What an evaluation's sums say of a metric: the challenger's change relative to the champion, with an interval that may be
 * looked at as often as one likes.
 *
 * 1. Phases of the ramp are compared each for itself, then put together.
 * 2. Of what is seldom the relative change means nothing: a share of errors below SELDOM counts as SELDOM where it is divided
 *    by, and no share is taken to be known better than to one answer more or less.
 */
import type { AbPlan, AbSums, Estimate, RatioSums } from '../../contracts/ab.ts';
import { HIGHER_IS_BETTER, type Metric } from '../../contracts/vitals.ts';
import { halfWidth } from '../statistics/confidence-sequence.ts';
import { mixtureP, tau2For } from '../statistics/msprt.ts';
import { adjustedPair, emptyRatio, merged, type RatioEstimate, relativeOf, stratified } from '../statistics/ratio.ts';
import { isShare } from './subject-values.ts';

export const SELDOM = 0.01;

/** How wide an interval is that is decided by: of an estimate with this variance from so many subjects. */
export type Width = (estimate: RatioEstimate) => number;

export interface Compared {
  readonly metric: Metric;
  readonly champion: number | null;
  readonly challenger: number | null;
  /** Better is above 0, whatever the metric. Null without data. */
  readonly gain: (RatioEstimate & { readonly low: number; readonly high: number }) | null;
  readonly subjects: { readonly champion: number; readonly challenger: number };
}

export const compared = (sums: AbSums, metric: Metric, width: Width): Compared => {
  const pairs = sums.phases.map((phase) => {
    const [champion, challenger] = [phase.champion.metrics[metric], phase.challenger.metrics[metric]];
    return champion && challenger ? adjustedPair(champion, challenger) : null;
  });
  const pair = stratified(pairs);
  const { champion = null, challenger = null, subjects = { champion: 0, challenger: 0 } } = pair ?? {};
  const relative = pair && relativeTo(pair, metric, leastVariance(sums, metric));
  if (!relative) return { metric, champion, challenger, gain: null, subjects };
  const better = { ...relative, value: HIGHER_IS_BETTER.has(metric) ? relative.value : -relative.value };
  const half = width(better);
  const bounds = { low: better.value - half, high: better.value + half };
  return { metric, champion, challenger, gain: { ...better, ...bounds }, subjects };
};

const relativeTo = (
  pair: NonNullable<ReturnType<typeof stratified>>,
  metric: Metric,
  least: number,
): RatioEstimate | null => {
  const { champion, challenger, variance, n } = pair;
  if (champion === 0 && challenger === 0 && least === 0) return { value: 0, variance: 0, n };
  const seldom = isShare(metric) && !HIGHER_IS_BETTER.has(metric) && champion < SELDOM;
  const over = seldom ? SELDOM : champion;
  const found = seldom ? { value: pair.difference / over, variance: variance / over ** 2, n } : relativeOf(pair);
  return found && { ...found, variance: Math.max(found.variance, least / over ** 2) };
};

/** One answer more or less on each arm; 0 for what is no share. */
const leastVariance = ({ phases }: AbSums, metric: Metric): number => {
  if (!isShare(metric)) return 0;
  return (['champion', 'challenger'] as const).reduce((total, arm) => {
    const all = phases.map((phase) => phase[arm].metrics[metric]).filter((one): one is RatioSums => one !== undefined);
    const answers = all.reduce(merged, emptyRatio()).sums[1];
    return total + (answers > 0 ? 1 / answers ** 2 : 0);
  }, 0);
};

/** Always valid; `alpha` is that of the claim. */
export const sequenceWidth =
  ({ planned }: Pick<AbPlan, 'planned'>, alpha: number): Width =>
  ({ variance, n }) =>
    halfWidth({ variance, n, alpha, planned });

/** How likely so much worse than `allowed` is by chance, at whichever look; 1 where it is not worse at all. */
export const harmP = ({ gain }: Compared, allowed: number, { planned, harmAlpha: alpha }: AbPlan): number => {
  if (!gain || gain.value + allowed >= 0) return 1;
  const { value, variance, n } = gain;
  if (variance === 0) return 0;
  return mixtureP({ estimate: value + allowed, variance, tau2: tau2For({ variance, n, alpha, planned }) });
};

/** As it is told: higher is higher, whichever is better. */
export const estimateOf = (one: Compared, { alpha, planned }: AbPlan): Estimate => {
  const { metric, champion, challenger, gain, subjects } = one;
  const about = { metric, champion, challenger, subjects: subjects.champion + subjects.challenger };
  if (!gain) return { ...about, relative: null, p: null };
  const { value, variance, n, low, high } = gain;
  const tau2 = tau2For({ variance, n, alpha, planned });
  return {
    ...about,
    relative: HIGHER_IS_BETTER.has(metric) ? { value, low, high } : { value: -value, low: -high, high: -low },
    p: mixtureP({ estimate: value, variance, tau2 }),
  };
};
