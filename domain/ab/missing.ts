/** What an evaluation cannot show yet: as long as anything is missing, nothing is promoted. */

import type { View } from './decision.ts';
import type { Compared } from './estimate.ts';
import { nameOf, percent, spoken } from './sentence.ts';

const DAY = 86_400_000;
const WEEK = 7 * DAY;

type Question = (view: View) => string | null | readonly string[];

/** All of them are asked, so that a reader sees everything at once. */
const QUESTIONS: readonly Question[] = [
  ({ metric, plan }) =>
    unknown(metric, plan.fewest) ??
    (metric.gain && metric.gain.low > plan.gain
      ? null
      : `more than ${percent(plan.gain)} is not shown of ${nameOf(metric.metric)}`),
  ({ guardrails, plan }) => guardrails.flatMap((one) => unknown(one, plan.fewest) ?? tooFar(one) ?? []),
  ({ clock, plan }) => {
    const ran = clock.nowMs - clock.startedMs;
    return ran < plan.minimumMs ? `it has run for ${spoken(ran)}, and ${spoken(plan.minimumMs)} are the least` : null;
  },
  ({ clock, plan }) =>
    plan.wholeWeek && clock.nowMs - clock.startedMs < WEEK ? 'it has not seen every day of the week' : null,
  ({ counts }) => (counts ? null : 'this look is between those at which success may be claimed'),
];

export const missing = (view: View): readonly string[] => QUESTIONS.flatMap((ask) => ask(view) ?? []);

const unknown = ({ metric, gain, subjects: { champion, challenger } }: Compared, fewest: number): string | null => {
  if (!gain) return `nothing is known of ${nameOf(metric)}`;
  if (Math.min(champion, challenger) >= fewest) return null;
  return `${nameOf(metric)} is known of ${champion} and ${challenger} subjects, and ${fewest} are needed on each arm`;
};

const tooFar = ({ metric, gain, margin }: View['guardrails'][number]): string | null =>
  gain && gain.low > -margin
    ? null
    : `${nameOf(metric)} may be worse by ${percent(-(gain?.low ?? 0))}, and ${percent(margin)} is allowed`;
