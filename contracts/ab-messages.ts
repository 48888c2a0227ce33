/** What is said to an A/B evaluation while it runs, and what it says of itself and of its end. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AbExpectation, AbFinding, AbPlan, AbPoint, AbSums } from './ab.ts';
import type { ArtifactRef } from './artifact.ts';
import type { Answer, Loosening } from './messages.ts';
import type { Refusal } from './traffic.ts';
import type { Trial } from './trial.ts';

export interface AbInput {
  readonly trial: Trial;
  readonly plan: AbPlan;
  /** Whether people are told when it asks them. */
  readonly notify?: boolean;
  /** What a run that continues an earlier one knows from it. */
  readonly memory?: AbMemory;
  /** Events of history after which it continues as new. */
  readonly historyLimit?: number;
}

/**
 * Given to the next run when it continues as new; what is forgotten here would be done twice, or not at all. Moments are in ms.
 */
export interface AbMemory {
  /** With the alpha that was left of the service's, as the nth evaluation of it. */
  readonly plan: AbPlan;
  readonly nth: number;
  /** null: it could not be had. */
  readonly expectation: AbExpectation | null;
  readonly outlook: string;
  /** When the challenger got its first share. Minimum and maximum are counted from here. */
  readonly startedMs: number;
  /** Where in the ramp it stands (0 is the first share), and since when. */
  readonly phase: number;
  readonly phaseSinceMs: number;
  /** Changes of traffic that were ordered, and tokens that were checked so far: the next one's key. */
  readonly shifts: number;
  readonly uses: number;
  readonly paused: boolean;
  /** Somebody wants a look that was not taken yet. */
  readonly wanted: boolean;
  readonly sums: AbSums | null;
  readonly finding: AbFinding | null;
  readonly looked: number;
  readonly lookedMs: number | null;
  readonly looks: readonly AbPoint[];
  readonly trouble: string | null;
  readonly question: AbQuestion | null;
}

/** What a person is asked: whether the challenger goes on to the canary, on these figures. */
export interface AbQuestion {
  readonly step: 'ab';
  readonly variant: string;
  /** Digest of the report that is decided on. */
  readonly evidence: string;
  readonly summary: string;
  readonly expiresAt: string;
  /** What the person said. */
  readonly answer: {
    readonly decision: 'promote' | 'reject';
    readonly by: string;
    readonly reason: string;
  } | null;
}

export const AB_OUTCOMES = ['better', 'kept', 'harm', 'void', 'expired', 'rejected', 'aborted', 'refused'] as const;
export type AbOutcome = (typeof AB_OUTCOMES)[number];
export interface AbEnd {
  readonly outcome: AbOutcome;
  readonly because: string;
  readonly finding: AbFinding | null;
  readonly evidence: ArtifactRef | null;
  /** Why the store did not let it move traffic; 'killed' where it was stopped by a kill. */
  readonly refusal?: Refusal;
}

export interface AbStatus {
  readonly service: string;
  readonly cycle: string;
  readonly workflowId: string;
  /** As the query log names it. */
  readonly experiment: string;
  readonly champion: string;
  readonly challenger: string;
  readonly state: 'starting' | 'running' | 'asking' | 'ended';
  readonly paused: boolean;
  /** As it decides by; before it has started, as it was given. */
  readonly plan: AbPlan;
  readonly expectation: AbExpectation | null;
  /** How long it will take, and whether it may take so long. */
  readonly outlook: string | null;
  readonly startedAt: string | null;
  readonly phase: { readonly nth: number; readonly of: number; readonly share: number; readonly since: string } | null;
  /** What the last look found: the present estimates with their intervals, and the plain sentence. */
  readonly finding: AbFinding | null;
  readonly looked: number;
  readonly lookedAt: string | null;
  readonly nextLookAt: string | null;
  /** Thinned out, so that it stays small however long it runs. */
  readonly looks: readonly AbPoint[];
  /** Why the last look could not be taken. */
  readonly trouble: string | null;
  readonly question: AbQuestion | null;
  readonly end: AbEnd | null;
}

/** Looks at once. Neither loosens nor restricts: what it finds is held against the same bounds. */
export const lookSignal = defineSignal<[]>('look');
export const lookUpdate = defineUpdate<Answer, []>('look');
/** A person's yes where the figures alone do not decide: an `approve` token, bound to the question. */
export const promoteSignal = defineSignal<[Loosening]>('promote');
export const promoteUpdate = defineUpdate<Answer, [Loosening]>('promote');
export const abStatusQuery = defineQuery<AbStatus>('abStatus');
