/** A fine-tune, as a person reads it. */
import type { LoraReport } from '../contracts/lora.ts';
import type { LoraEnd, LoraStatus } from '../contracts/lora-messages.ts';
import type { Usage } from '../contracts/stages.ts';
import { secondsLeft } from '../domain/training-course.ts';
import type { LoraView } from './fine-tunes.ts';
import { bad, bold, dim, good, type Line, short, span } from './text.ts';

const BAR = 24;

export const bar = (step: number, steps: number): string => {
  const filled = steps <= 0 ? 0 : Math.min(BAR, Math.round((BAR * step) / steps));
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)}`;
};

/** The bar with loss, speed and the time that is left. */
export const progressLine = ({ status, now }: LoraView): Line => {
  const step = Math.max(status.step, now?.step ?? 0);
  const loss = (now?.losses.at(-1) ?? status.losses.at(-1))?.loss;
  const speed = now && now.stepsPerSecond > 0 ? now.stepsPerSecond : status.stepsPerSecond;
  const left = secondsLeft(step, status.steps, speed);
  const ndcg = status.metrics.at(-1)?.ndcg;
  return [
    bar(step, status.steps),
    ` ${step}/${status.steps}`,
    ...(loss === undefined ? [] : [`  loss ${loss.toFixed(4)}`]),
    ...(ndcg === undefined ? [] : [`  NDCG@10 ${ndcg.toFixed(3)}`]),
    ...(speed ? [dim(`  ${speed.toFixed(2)} steps/s`)] : []),
    ...(left === null || left <= 0 ? [] : [dim(`  ${span(1_000 * left)} left`)]),
    ...(now && now.attempt > 1 ? [dim(`  attempt ${now.attempt}`)] : []),
  ];
};

export const reportLine = ({ state, startedAt, endedAt, summary }: LoraReport): Line => [
  endedAt === null ? dim('…') : good('✓'),
  ` ${state.padEnd(12)}`,
  dim((endedAt === null ? 'now' : span(Date.parse(endedAt) - Date.parse(startedAt))).padEnd(11)),
  summary ?? '',
];

export const endLine = ({ outcome, because }: LoraEnd): Line => [
  (outcome === 'trained' ? good : bad)(outcome),
  ': ',
  because,
];

export const statusLines = (view: LoraView): Line[] => {
  const { status } = view;
  const { evaluation, model } = status.end ?? { evaluation: null, model: null };
  return [
    [bold(status.id), ` of ${status.service}`],
    ...status.reports.filter(({ state }) => state !== 'ended').map(reportLine),
    ...(status.step > 0 || view.now ? [progressLine(view)] : []),
    ...(evaluation ? [evaluationLine(evaluation)] : []),
    ...(model ? [[dim('adapter   '), short(model)] as Line] : []),
    ...(status.usage?.cpuSeconds ? [usageLine(status.usage)] : []),
    ...(status.end ? [endLine(status.end)] : []),
  ];
};

const usageLine = ({ cpuSeconds = 0, cents }: Usage): Line => [
  dim('used      '),
  `${span(1_000 * cpuSeconds)} of CPU time`,
  ...(cents === undefined ? [] : [`, ${cents.toFixed(2)} cents`]),
];

const evaluationLine = ({ before, after, low, high, queries }: NonNullable<LoraEnd['evaluation']>): Line => [
  dim('held out  '),
  `NDCG@10 ${before.toFixed(3)} → ${after.toFixed(3)} on ${queries} queries, gain 95 % between ${low.toFixed(3)} and ${high.toFixed(3)}`,
];

/** What changed since the look before: states that ended, a step further, the end. */
export const changesBetween = (before: LoraStatus | null, view: LoraView): Line[] => {
  const { status } = view;
  const seen = before?.reports ?? [];
  return status.reports
    .filter(({ state, endedAt }, at) => state !== 'ended' && endedAt !== null && seen[at]?.endedAt !== endedAt)
    .map(reportLine);
};
