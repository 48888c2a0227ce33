/** What is said to a canary while it runs, and what it says of itself and of its end. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ArtifactRef } from './artifact.ts';
import type { AnalysisOutcome, CanaryJudgement, CanaryPlan, Detectable, Measurement } from './canary.ts';
import type { AnalysisTally } from './canary-tally.ts';
import type { Answer, Loosening, Restriction } from './messages.ts';
import type { Arm, Refusal } from './traffic.ts';
import type { Trial } from './trial.ts';

export interface CanaryInput {
  readonly trial: Trial;
  readonly plan: CanaryPlan;
  /** Whether people are told when it waits for them. */
  readonly notify?: boolean;
  /** Events of history after which it continues as new. */
  readonly historyLimit?: number;
  /** What a run that continues an earlier one knows from it. */
  readonly memory?: CanaryMemory;
}

export const CANARY_OUTCOMES = ['promoted', 'rolled back', 'aborted', 'refused'] as const;
export type CanaryOutcome = (typeof CANARY_OUTCOMES)[number];
export interface CanaryEnd {
  readonly outcome: CanaryOutcome;
  readonly because: string;
  readonly evidence: ArtifactRef | null;
  /** Why the store did not let it move traffic. */
  readonly refusal?: Refusal;
  /** What the challenger failed by, the champion fails by as well. */
  readonly championBroken?: true;
  /** From the start of the window in which it failed until the router showed the champion again. */
  readonly faultToChampionMs?: number;
}

/** One line of the timeline. `step` is what a token is bound to: 'canary 1', 'canary 2' … are the steps of the plan. */
export interface CanaryStepReport {
  readonly step: string;
  readonly what: string;
  readonly state: 'running' | 'waiting' | 'done' | 'skipped' | 'failed';
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly summary: string | null;
}

/** What a person is asked: an approval that the plan has as a step, or what to do with what does not say enough. */
export interface CanaryQuestion {
  readonly kind: 'approval' | 'hold';
  /** What waits: a step of the plan, one of the analyses, or that there was too little to go by. */
  readonly about: 'step' | 'analysis' | 'background' | 'floor';
  /** A token is bound to these three. */
  readonly step: string;
  readonly variant: string;
  readonly evidence: string;
  readonly because: string;
  readonly since: string;
  /** Unanswered until then, traffic goes back; null: it waits for as long as it takes. */
  readonly until: string | null;
}

/** One analysis while it goes on: what it is decided by. */
export interface AnalysisMemory {
  readonly name: string;
  readonly startedAt: string;
  readonly tally: AnalysisTally | null;
  readonly outcome: AnalysisOutcome | 'going on';
  readonly because: string;
  /** Of the last judgement. */
  readonly evidence: ArtifactRef | null;
  /** A person has answered for its doubt: from then on only a failure ends the canary. */
  readonly excused: boolean;
}

/** Given to the next run when it continues as new: what is forgotten here would be done twice, or not at all. */
export interface CanaryMemory {
  readonly reports: readonly CanaryStepReport[];
  /** Index of the step that is taken now, or comes next. */
  readonly step: number;
  readonly paused: boolean;
  /** It was champion not long ago, and takes no steps. */
  readonly recent: boolean;
  readonly detectable: Detectable | null;
  readonly traffic: CanaryTraffic;
  readonly inline: AnalysisMemory | null;
  readonly background: AnalysisMemory | null;
  /** Thinned out, for pictures. */
  readonly chart: readonly Measurement[];
  readonly judgements: readonly CanaryJudgement[];
  readonly asked: CanaryQuestion | null;
  readonly answer: CanaryAnswer | null;
  /** Questions that were asked so far, and tokens that were checked. */
  readonly questions: number;
  readonly uses: number;
  /** The step that a person has skipped. */
  readonly skipped: string | null;
}
export interface CanaryAnswer {
  readonly says: 'promote' | 'retry';
  readonly by: string;
  readonly reason: string;
}
export interface CanaryTraffic {
  /** Changes that were ordered so far: the next one's key. */
  readonly shifts: number;
  /** What serves by the last of them. */
  readonly arms: readonly Arm[];
  readonly weight: number;
  readonly mirror: number;
  /** The copy of the champion that the challenger is held against; null: the champion itself. */
  readonly twin: string | null;
  /** When the challenger got what it is measured by; null: it has had nothing yet. */
  readonly since: string | null;
}

export interface CanaryStatus {
  readonly service: string;
  readonly cycle: string;
  readonly workflowId: string;
  readonly environment: string;
  readonly champion: string;
  readonly challenger: string;
  /** Those of the plan, in words. */
  readonly plan: readonly string[];
  readonly steps: readonly CanaryStepReport[];
  /** The present one. */
  readonly step: string | null;
  readonly paused: boolean;
  readonly weight: number;
  readonly mirror: number;
  readonly twin: string | null;
  readonly arms: readonly Arm[];
  readonly analyses: ReadonlyArray<Pick<AnalysisMemory, 'name' | 'startedAt' | 'outcome' | 'because'>>;
  /** Thinned out, so that they stay small however long it runs. */
  readonly measurements: readonly Measurement[];
  /** The last ones. */
  readonly judgements: readonly CanaryJudgement[];
  readonly waitsFor: CanaryQuestion | null;
  readonly detectable: Detectable | null;
  readonly end: CanaryEnd | null;
}

/** Goes on with what waits for a person; `promote` is signed for that question. */
export const promoteSignal = defineSignal<[Loosening]>('promote');
export const promoteUpdate = defineUpdate<Answer, [Loosening]>('promote');
/** Has what does not say enough measured anew. */
export const retrySignal = defineSignal<[Loosening]>('retry');
export const retryUpdate = defineUpdate<Answer, [Loosening]>('retry');
/** Ends it and puts traffic back. What was promoted is undone by the watch that comes after it. */
export const undoSignal = defineSignal<[Restriction]>('undo');
export const undoUpdate = defineUpdate<Answer, [Restriction]>('undo');
export const canaryStatusQuery = defineQuery<CanaryStatus>('canaryStatus');
