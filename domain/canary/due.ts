/**
 * When what is measured next.
 *
 * 1. A measurement's `at` is a moment of the same clock as `nowMs`, the workflow's: it goes into the order and comes back
 *    (CanaryWindow.at). Where it does not, no measure is taken more often than its interval allows all the same.
 * 2. What is late is done once, and not once for each time that was missed.
 * 3. What has ended is not due any more, and nothing is once the analysis has ended.
 */
import type { Analysis, Measure } from '../../contracts/canary.ts';
import { type AnalysisHistory, outcomeOf, tallyOf } from './analysis.ts';
import { NOTHING_YET, type Tally } from './tally.ts';

export interface Due {
  readonly measures: readonly Measure[];
  readonly judging: boolean;
  /** When the next one comes after these; null: never. */
  readonly nextMs: number | null;
}

export const dueNow = (analysis: Analysis, history: AnalysisHistory, startedMs: number, nowMs: number): Due => {
  if (outcomeOf(analysis, history).outcome !== 'going on') return { measures: [], judging: false, nextMs: null };
  const tallies = tallyOf(analysis, history);
  const open = analysis.measures.filter(({ name }) => !tallies.measures[name]?.end);
  const at = (rhythm: Rhythm, tally: Tally = NOTHING_YET): number => dueAt(rhythm, tally, startedMs, nowMs);
  const measures = open.filter((measure) => at(measure, tallies.measures[measure.name]) <= nowMs);
  const judge = tallies.judging?.end ? null : analysis.judging;
  const judging = judge !== null && at(judge, tallies.judging ?? NOTHING_YET) <= nowMs;
  const moments = [
    ...open.map((one) => [one, at(one, tallies.measures[one.name])] as const),
    ...(judge ? [[judge, at(judge, tallies.judging ?? NOTHING_YET)] as const] : []),
  ];
  const later = moments.map(([{ intervalMs }, moment]) => (moment <= nowMs ? nowMs + intervalMs : moment));
  return { measures, judging, nextMs: later.length === 0 ? null : Math.min(...later) };
};

type Rhythm = Pick<Measure, 'intervalMs' | 'delayMs'>;

const dueAt = ({ intervalMs, delayMs }: Rhythm, { tried, lastAt }: Tally, startedMs: number, nowMs: number): number => {
  const earliest = startedMs + delayMs + tried * intervalMs;
  const last = lastAt === null ? Number.NaN : Date.parse(lastAt);
  return Number.isNaN(last) ? earliest : Math.max(earliest, Math.min(last, nowMs) + intervalMs);
};
