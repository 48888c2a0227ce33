/**
 * How much traffic the judges of a plan will have seen: what a canary can notice hangs on it.
 *
 * Values are collected from where the challenger first got its share, and anew where somebody else is what it is held
 * against. What waits for a person adds nothing, since nobody knows how long it waits.
 */
import type { Analysis, CanaryPlan, Judging } from '../../contracts/canary.ts';

export interface JudgedTraffic {
  readonly judging: Judging;
  /** Of all requests of the window. */
  readonly share: number;
  readonly baselineShare: number;
  readonly windowMs: number;
}

interface Collected {
  readonly weight: number;
  readonly mirror: number;
  readonly hasTwin: boolean;
  /** Share times time. */
  readonly challenger: number;
  readonly baseline: number;
  readonly ms: number;
}
const NOTHING = { challenger: 0, baseline: 0, ms: 0 };

/** Of the judge that sees most before the promotion; null where nothing is judged. */
export const judgedTraffic = ({ steps, analyses, background }: CanaryPlan): JudgedTraffic | null => {
  let now: Collected = { ...NOTHING, weight: 0, mirror: 0, hasTwin: false };
  let last: JudgedTraffic | null = null;
  for (const step of steps) {
    if ('weight' in step) now = { ...now, ...(now.weight === 0 && NOTHING), weight: step.weight };
    if ('mirror' in step) now = { ...now, mirror: step.mirror };
    if ('baseline' in step) now = { ...now, ...NOTHING, hasTwin: true };
    if ('pauseMs' in step) now = after(now, step.pauseMs);
    if ('analysis' in step) {
      const analysis = analyses[step.analysis];
      now = after(now, analysis ? lengthOf(analysis) : 0);
      last = judgedBy(analysis, now) ?? last;
    }
  }
  return judgedBy(background ? analyses[background.analysis] : undefined, now) ?? last;
};

const judgedBy = (analysis: Analysis | undefined, { challenger, baseline, ms }: Collected): JudgedTraffic | null =>
  analysis?.judging && ms > 0
    ? { judging: analysis.judging, share: challenger / ms, baselineShare: baseline / ms, windowMs: ms }
    : null;

const after = (now: Collected, ms: number): Collected => {
  const { weight, mirror, hasTwin } = now;
  const share = weight > 0 ? weight : mirror;
  if (share === 0) return now;
  const beside = weight > 0 ? Math.min(weight, 1 - weight) : mirror;
  return {
    ...now,
    challenger: now.challenger + share * ms,
    baseline: now.baseline + (hasTwin ? beside : 1 - weight) * ms,
    ms: now.ms + ms,
  };
};

/** Until its last measurement and judgement, where all goes well. */
const lengthOf = ({ measures, judging }: Analysis): number =>
  Math.max(
    0,
    ...[...measures, ...(judging ? [judging] : [])].map(
      ({ delayMs, intervalMs, count }) => delayMs + ((count ?? 1) - 1) * intervalMs,
    ),
  );
