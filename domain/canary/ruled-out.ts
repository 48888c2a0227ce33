/**
 * Whether what was measured rules out that a challenger is worse than its baseline by as much as the plan says must be noticed.
 *
 * 1. That nothing was found worse says little where there was little to find it in. So it is not asked whether a change was seen,
 *    but whether one of this size can still be there: whether the interval of the difference reaches so far.
 * 2. Values that are missing rule nothing out.
 */
import { HIGHER_IS_BETTER, type Metric } from '../../contracts/vitals.ts';
import { compared, finite } from './comparison.ts';
import type { JudgedSeries } from './judge.ts';

/** Two-sided: a challenger that is worse by that size is taken for one that is not in one case of a hundred. */
const CONFIDENCE = 0.98;
/** Their sizes are points of share; all others are relative. */
const IN_POINTS: ReadonlySet<Metric> = new Set(['errors']);

/** A sentence for each metric of which that cannot be said. */
export const notRuledOut = (
  mustNotice: Readonly<Record<string, number>>,
  series: readonly JudgedSeries[],
): readonly string[] =>
  Object.entries(mustNotice).flatMap(([metric, size]) => {
    const { challenger = [], baseline = [] } = series.find((one) => one.metric === metric) ?? {};
    const worst = worstOf(metric, finite(challenger), finite(baseline));
    if (worst !== null && worst < size) return [];
    const values = `${challenger.length} and ${baseline.length} values`;
    const reach = worst === null ? `${values} say nothing of it` : `it may be ${said(metric, worst)}, by ${values}`;
    return [`${metric} ${said(metric, size)} is not ruled out: ${reach}`];
  });

/** By how much it may be worse; null where nothing can be said. */
const worstOf = (metric: Metric, challenger: readonly number[], baseline: readonly number[]): number | null => {
  const found = compared(challenger, baseline, CONFIDENCE);
  if (!found) return null;
  const worst = HIGHER_IS_BETTER.has(metric) ? -found.low : found.high;
  if (IN_POINTS.has(metric)) return worst;
  return found.scale > 0 ? worst / found.scale : null;
};

const said = (metric: Metric, size: number): string => {
  const sign = HIGHER_IS_BETTER.has(metric) ? -size : size;
  const text = `${sign > 0 ? '+' : sign < 0 ? '−' : ''}${Number(Math.abs(100 * size).toPrecision(3))}`;
  return IN_POINTS.has(metric) ? `${text} points` : `${text} %`;
};
