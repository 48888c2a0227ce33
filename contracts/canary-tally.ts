/** What the measurements of an analysis come to in a few numbers, so that a run of months fits into a workflow's memory. */
import type { AnalysisOutcome } from './canary.ts';

export interface Tally {
  /** Everything that was tried, and what of it was not an error. */
  readonly tried: number;
  readonly measured: number;
  readonly passed: number;
  readonly failed: number;
  readonly inconclusive: number;
  /** One after the other, up to the last one. */
  readonly errorsInRow: number;
  readonly passesInRow: number;
  /** ISO moment of the last one, where it is known. */
  readonly lastAt: string | null;
  /** That was not an error. */
  readonly last: AnalysisOutcome | null;
  readonly end: { readonly outcome: AnalysisOutcome; readonly because: string } | null;
}

export interface AnalysisTally {
  readonly measures: Readonly<Record<string, Tally>>;
  readonly judging: Tally | null;
}
