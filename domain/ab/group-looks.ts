/**
 * When a group sequential evaluation may claim success, and by which bound.
 *
 * 1. It may at GROUPS moments only, evenly spread up to the most that it may take: at the first look after each.
 * 2. The information of each is that which the ramp brings by then, as it was planned before anything was seen.
 */
import type { AbPlan } from '../../contracts/ab.ts';
import { boundaries } from '../statistics/group-sequential.ts';
import type { Clock } from './decision.ts';
import type { Width } from './estimate.ts';

const GROUPS = 10;
/** Where nothing may be claimed yet, this is shown. */
const WIDEST = 8;

/** null: the plan goes by a confidence sequence. */
export const groupLook = (plan: AbPlan, { startedMs, nowMs }: Clock): { width: Width; counts: boolean } | null => {
  if (plan.method !== 'group sequential') return null;
  const ran = nowMs - startedMs;
  const apart = plan.maximumMs / GROUPS;
  const nth = Math.min(GROUPS, Math.floor(ran / apart));
  const ends = Array.from({ length: Math.max(1, nth) }, (_, n) => (n + 1) * apart);
  const all = dealtBy(plan, plan.maximumMs);
  const looks = ends.map((end) => dealtBy(plan, end) / all);
  const bound = boundaries({ looks, alpha: plan.alpha, spending: 'obrien-fleming' }).at(-1) ?? Number.POSITIVE_INFINITY;
  const isFirst = nth === GROUPS || ran - nth * apart < plan.lookMs;
  return {
    width: ({ variance }) => Math.min(WIDEST, bound) * Math.sqrt(variance),
    counts: nth > 0 && isFirst && Number.isFinite(bound),
  };
};

/** How much of the traffic was the challenger's until then, in shares times ms, of those whose window has ended. */
const dealtBy = ({ ramp, phaseMs, windowMs, maximumMs }: AbPlan, end: number): number =>
  ramp.reduce((total, share, n) => {
    const until = n === ramp.length - 1 ? maximumMs : (n + 1) * phaseMs;
    return total + share * Math.max(0, Math.min(end - windowMs, until) - n * phaseMs);
  }, 0);
