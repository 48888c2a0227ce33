import type { Measurement } from '../../contracts/canary.ts';
import type { CanaryMemory } from '../../contracts/canary-messages.ts';
import type { Trial } from '../../contracts/trial.ts';

/** Points of each metric that are kept for pictures. */
const POINTS = 120;

export const freshMemory = ({ arms }: Trial): CanaryMemory => ({
  reports: [],
  step: 0,
  paused: false,
  recent: false,
  detectable: null,
  traffic: { shifts: 0, arms, weight: 0, mirror: 0, twin: null, since: null },
  inline: null,
  background: null,
  chart: [],
  judgements: [],
  asked: null,
  answer: null,
  questions: 0,
  uses: 0,
  skipped: null,
});

/** With what was measured now. Where a metric has too many points, every second one is left out, never the last. */
export const charted = (chart: readonly Measurement[], more: readonly Measurement[]): readonly Measurement[] => {
  const whole = [...chart, ...more];
  const full = new Set(
    [...Map.groupBy(whole, ({ name }) => name)].filter(([, points]) => points.length > POINTS).map(([name]) => name),
  );
  if (full.size === 0) return whole;
  const seen = new Map<string, number>();
  return whole
    .toReversed()
    .filter(({ name }) => {
      const nth = seen.get(name) ?? 0;
      seen.set(name, nth + 1);
      return !full.has(name) || nth % 2 === 0;
    })
    .toReversed();
};
