/**
 * What an analysis has come to.
 *
 * 1. The worst outcome of those that decide is the outcome (ANALYSIS_OUTCOMES, the worst first). One that is not a pass
 *    ends the analysis at once; a pass needs all of them.
 * 2. An analysis in which nothing decides is inconclusive, never a pass; so is a measure that has never passed.
 * 3. What goes on without a count goes on for as long as the analysis does: until the counted ones are done, or somebody
 *    stops it.
 */
import {
  ANALYSIS_OUTCOMES,
  type Analysis,
  type AnalysisOutcome,
  type CanaryJudgement,
  type Measurement,
} from '../../contracts/canary.ts';
import type { AnalysisTally } from '../../contracts/canary-tally.ts';
import { NOTHING_YET, type Tally, withJudgement, withMeasurement } from './tally.ts';

/** In the order in which they were taken. */
export interface AnalysisHistory {
  readonly measurements: readonly Measurement[];
  readonly judgements: readonly CanaryJudgement[];
  /** What was counted before these: a workflow that goes on for months keeps no more of them (`compacted`). */
  readonly before?: AnalysisTally;
}
export interface AnalysisState {
  readonly outcome: AnalysisOutcome | 'going on';
  readonly because: string;
}

export const worst = (outcomes: readonly AnalysisOutcome[]): AnalysisOutcome =>
  ANALYSIS_OUTCOMES.find((outcome) => outcomes.includes(outcome)) ?? 'inconclusive';

export const outcomeOf = (analysis: Analysis, history: AnalysisHistory): AnalysisState => {
  const deciding = decidersOf(analysis, history);
  if (deciding.length === 0) return { outcome: 'inconclusive', because: 'nothing in this analysis decides' };
  const ended = deciding.flatMap(({ tally }) => (tally.end === null ? [] : [tally.end]));
  const outcome = worst(ended.map((end) => end.outcome));
  if (ended.length > 0 && outcome !== 'passed') return { outcome, because: reasonsOf(ended, outcome) };
  const open = deciding.filter(({ tally }) => tally.end === null);
  if (open.length < deciding.length && open.every(({ isCounted }) => !isCounted)) return stopped(deciding);
  return { outcome: 'going on', because: `${open.map(({ name }) => name).join(', ')} not decided yet` };
};

/** What it has come to where it is stopped here, such as one in the background when the steps are done. */
export const outcomeAtEnd = (analysis: Analysis, history: AnalysisHistory): AnalysisState => {
  const now = outcomeOf(analysis, history);
  return now.outcome === 'going on' ? stopped(decidersOf(analysis, history)) : now;
};

/** The same history in a few numbers. */
export const compacted = (analysis: Analysis, history: AnalysisHistory): AnalysisHistory => ({
  measurements: [],
  judgements: [],
  before: tallyOf(analysis, history),
});

export const tallyOf = (
  { measures, judging }: Analysis,
  { measurements, judgements, before }: AnalysisHistory,
): AnalysisTally => ({
  measures: Object.fromEntries(
    measures.map((measure) => [
      measure.name,
      measurements
        .filter(({ name }) => name === measure.name)
        .reduce((tally, one) => withMeasurement(tally, measure, one), before?.measures[measure.name] ?? NOTHING_YET),
    ]),
  ),
  judging:
    judging && judgements.reduce((tally, one) => withJudgement(tally, judging, one), before?.judging ?? NOTHING_YET),
});

interface Decider {
  readonly name: string;
  readonly tally: Tally;
  /** Whether it comes to an end by itself. */
  readonly isCounted: boolean;
  /** It sees all there is at each look, so its last one is what counts. */
  readonly isJudge: boolean;
}
const decidersOf = (analysis: Analysis, history: AnalysisHistory): readonly Decider[] => {
  const { measures, judging } = tallyOf(analysis, history);
  const deciding = analysis.measures
    .filter(({ dryRun }) => !dryRun)
    .map(({ name, count, successes }) => ({
      name,
      tally: measures[name] ?? NOTHING_YET,
      isCounted: count !== null || successes !== null,
      isJudge: false,
    }));
  const isCounted = analysis.judging?.count != null;
  return judging === null ? deciding : [...deciding, { name: 'the judge', tally: judging, isCounted, isJudge: true }];
};

const stopped = (deciding: readonly Decider[]): AnalysisState => {
  const ends = deciding.map((decider) => decider.tally.end ?? soFar(decider));
  const outcome = worst(ends.map((end) => end.outcome));
  return { outcome, because: reasonsOf(ends, outcome) };
};

/** It has broken no limit, or it would have ended. */
const soFar = ({ name, tally: { passed, measured, last }, isJudge }: Decider): NonNullable<Tally['end']> =>
  (isJudge ? last === 'passed' : passed > 0)
    ? { outcome: 'passed', because: `${name} passed ${passed} of ${measured} until it was stopped` }
    : { outcome: 'inconclusive', because: `${name} had not passed when it was stopped` };

const reasonsOf = (ends: ReadonlyArray<NonNullable<Tally['end']>>, outcome: AnalysisOutcome): string =>
  ends
    .filter((end) => end.outcome === outcome)
    .map(({ because }) => because)
    .join('; ');
