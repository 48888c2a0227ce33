/** The watch over what was promoted: for hours to days, with the analysis of a canary. */
import { defineQuery } from '@temporalio/workflow';
import type { Analysis, Measurement } from './canary.ts';
import type { AnalysisMemory } from './canary-messages.ts';
import type { Actor } from './traffic.ts';
import type { Trial } from './trial.ts';

export interface WatchTrialInput {
  /** Its challenger is the champion now, and its champion what the new one is held against. */
  readonly trial: Trial;
  readonly plan: { readonly forMs: number; readonly analysis: Analysis };
  readonly promotedAt: string;
  /** Events of history after which it continues as new. */
  readonly historyLimit?: number;
  /** What a run that continues an earlier one knows from it. */
  readonly memory?: WatchMemory;
}

/** Given to the next run when it continues as new; what is forgotten here would be done twice, or not at all. */
export interface WatchMemory {
  readonly analysis: AnalysisMemory;
  readonly looks: number;
  /** How often an analysis has come to a pass, and to neither pass nor failure. */
  readonly passes: number;
  readonly doubts: number;
  /** Since the last pass there were doubts, and people know. */
  readonly doubtful: boolean;
  /** Set as soon as it is to go back. */
  readonly back: WatchBack | null;
  /** Questions to the guardian so far: each has a key of its own. */
  readonly asks: number;
  /** Thinned out, for pictures. */
  readonly chart: readonly Measurement[];
}
export interface WatchBack {
  readonly requestedBy: Actor;
  readonly because: string;
  /** When the first failing reading was taken. */
  readonly since: string;
  /** The fix that goes back; null while it is asked for. */
  readonly fix: { readonly fix: string; readonly workflowId: string } | null;
}

export const WATCH_OUTCOMES = [
  'passed',
  'inconclusive',
  'rolled back',
  'superseded',
  'asked',
  'aborted',
  'killed',
] as const;
export type WatchOutcome = (typeof WATCH_OUTCOMES)[number];
export interface WatchEnd {
  readonly outcome: WatchOutcome;
  readonly because: string;
  /** The fix that went back, or was to. */
  readonly fix: string | null;
}

export interface WatchStatus {
  readonly service: string;
  readonly cycle: string;
  readonly workflowId: string;
  readonly champion: string;
  readonly former: string;
  readonly promotedAt: string;
  readonly until: string;
  readonly looks: number;
  readonly passes: number;
  readonly doubts: number;
  readonly analysis: Pick<AnalysisMemory, 'startedAt' | 'outcome' | 'because'>;
  readonly measurements: readonly Measurement[];
  readonly back: WatchBack | null;
  readonly end: WatchEnd | null;
}

/** `undo` is that of contracts/canary-messages.ts, `abort` that of contracts/messages.ts. */
export const watchStatusQuery = defineQuery<WatchStatus>('watchStatus');
