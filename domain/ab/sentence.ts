/** A look in one plain sentence. */
import type { AbDecision } from '../../contracts/ab.ts';
import type { Metric } from '../../contracts/vitals.ts';
import { halfWidth } from '../statistics/confidence-sequence.ts';
import type { View } from './decision.ts';
import type { Compared } from './estimate.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const ABBREVIATED: readonly string[] = ['ndcg', 'mrr'];
export const nameOf = (metric: Metric): string => (ABBREVIATED.includes(metric) ? metric.toUpperCase() : metric);

/** To a tenth, and without it where there is none. */
export const percent = (share: number): string => `${(100 * share).toFixed(1).replace(/\.0$/, '')} %`;

const counted = (count: number, what: string): string => `${thousands(count)} ${what}${count === 1 ? '' : 's'}`;
export const thousands = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

export const spoken = (ms: number): string =>
  ms < DAY ? counted(Math.floor(ms / HOUR), 'hour') : counted(Math.floor(ms / DAY), 'day');

export const sentenceOf = (view: View, decision: AbDecision, reasons: readonly string[]): string => {
  const { clock, metric, enrolled } = view;
  const all = enrolled.champion + enrolled.challenger;
  const found = `After ${spoken(clock.nowMs - clock.startedMs)} and ${counted(all, 'subject')} ${foundOf(metric)}`;
  return `${found}; ${SAID[decision](view, reasons)}.`;
};

const foundOf = ({ metric, gain }: Compared): string => {
  if (!gain) return `nothing can be said of ${nameOf(metric)}`;
  const { value, low, high } = gain;
  const between =
    low < 0 === high < 0
      ? `between ${percent(Math.min(Math.abs(low), Math.abs(high)))} and ${percent(Math.max(Math.abs(low), Math.abs(high)))}`
      : `between ${percent(-low)} worse and ${percent(high)} better`;
  return `${nameOf(metric)} is ${percent(Math.abs(value))} ${value < 0 ? 'worse' : 'better'} (${between})`;
};

const SAID: Readonly<Record<AbDecision, (view: View, reasons: readonly string[]) => string>> = {
  promote: ({ plan }) => `more than ${percent(plan.gain)} is shown, and every guardrail is intact`,
  void: (_, reasons) => `none of it counts, because ${reasons.join('; ')}`,
  'stop for harm': (_, reasons) => `it is stopped for harm: ${reasons.join('; ')}`,
  keep: ({ plan }, reasons) =>
    `${spoken(plan.maximumMs)} are all it may take, so the champion stays: ${reasons.join('; ')}`,
  ask: ({ plan }, reasons) =>
    `${spoken(plan.maximumMs)} are all it may take, so a person is asked: ${reasons.join('; ')}`,
  'go on': (view, reasons) =>
    isShown(view) ? `more than ${percent(view.plan.gain)} is shown, but ${reasons.join('; ')}` : notYet(view),
};

const isShown = ({ metric: { gain, subjects }, plan }: View): boolean =>
  gain !== null && gain.low > plan.gain && Math.min(subjects.champion, subjects.challenger) >= plan.fewest;

const notYet = (view: View): string => {
  const days = daysMore(view);
  const asked = `more than ${percent(view.plan.gain)} is not shown yet`;
  if (days === null) return asked;
  return Number.isFinite(days)
    ? `${asked}, about ${counted(Math.max(1, Math.ceil(days)), 'day')} more`
    : `${asked}, and is not in sight`;
};

/** If what was found stays as it is and subjects come as they do in this phase. Null where nothing is known of that. */
const daysMore = ({ metric: { gain }, plan, clock, sums }: View): number | null => {
  if (!gain || gain.n === 0) return null;
  if (gain.value <= plan.gain) return Number.POSITIVE_INFINITY;
  const phase = sums.phases.find(({ share }) => share === clock.share);
  const before = Math.max(0, plan.ramp.indexOf(clock.share)) * plan.phaseMs;
  const perDay =
    ((phase?.champion.enrolled ?? 0) + (phase?.challenger.enrolled ?? 0)) /
    (Math.max(HOUR, clock.nowMs - clock.startedMs - before) / DAY);
  if (!(perDay > 0)) return null;
  const { alpha, planned } = plan;
  const isEnough = (n: number): boolean =>
    gain.value - halfWidth({ variance: (gain.variance * gain.n) / n, n, alpha, planned }) > plan.gain;
  let [low, high] = [gain.n, 2 * gain.n];
  while (!isEnough(high) && high < Number.MAX_SAFE_INTEGER) [low, high] = [high, 2 * high];
  while (high - low > 0.01 * low) {
    const middle = (low + high) / 2;
    if (isEnough(middle)) high = middle;
    else low = middle;
  }
  return (high - gain.n) / perDay;
};
