/**
 * Signals, updates and queries. Names are wire format and permanent.
 *
 * 1. An unsigned message can only restrict: kill, pause, abort, reject. One that loosens (approve, rearm, resume, skip,
 *    gold) carries a token signed by a person's key.
 * 2. Each comes as a signal (the Web UI, `temporal workflow signal`) and as an update of the same name (the CLI, which
 *    wants to know whether it was accepted). Both enter one handler.
 * 3. What a signal brings may be anything: the handlers narrow it, they do not trust it.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Approval } from './evidence.ts';
import type { CyclePlan, Stage } from './plan.ts';
import type { FixEnd } from './remediation.ts';
import type { SignedToken } from './token.ts';
import type { Actor, Arm, FencingToken, Latch } from './traffic.ts';

/** Restricts: works without a signature. */
export interface Restriction {
  readonly by?: string;
  readonly reason?: string;
}
/** Loosens: works only with one. */
export interface Loosening {
  readonly token: SignedToken;
}
export interface GoldRequest extends Loosening {
  readonly variant: string;
}

export type Answer =
  | { readonly accepted: true; readonly what: string }
  | { readonly accepted: false; readonly because: string };

export const killSignal = defineSignal<[Restriction]>('kill');
export const pauseSignal = defineSignal<[Restriction]>('pause');
export const abortSignal = defineSignal<[Restriction]>('abort');
export const rejectSignal = defineSignal<[Restriction]>('reject');
export const approveSignal = defineSignal<[Loosening]>('approve');
export const rearmSignal = defineSignal<[Loosening]>('rearm');
export const resumeSignal = defineSignal<[Loosening]>('resume');
export const skipSignal = defineSignal<[Loosening]>('skip');

export const killUpdate = defineUpdate<Answer, [Restriction]>('kill');
export const pauseUpdate = defineUpdate<Answer, [Restriction]>('pause');
export const abortUpdate = defineUpdate<Answer, [Restriction]>('abort');
export const rejectUpdate = defineUpdate<Answer, [Restriction]>('reject');
export const approveUpdate = defineUpdate<Answer, [Loosening]>('approve');
export const rearmUpdate = defineUpdate<Answer, [Loosening]>('rearm');
export const resumeUpdate = defineUpdate<Answer, [Loosening]>('resume');
export const skipUpdate = defineUpdate<Answer, [Loosening]>('skip');
export const goldUpdate = defineUpdate<Answer, [GoldRequest]>('gold');

/** Asks the guardian for a cycle. The same key gets the same answer. */
export interface CycleRequest {
  readonly key: string;
  readonly trigger: 'gate' | 'schedule' | 'hand';
  readonly requestedBy: Actor;
  readonly reason: string;
  /** Proves who asks, where a person does. */
  readonly token?: SignedToken;
  /** A variant that is there already: it is not trained, and has to prove itself like one that was. */
  readonly challenger?: string;
}
export type Admission =
  | { readonly admitted: true; readonly cycle: string; readonly workflowId: string }
  | { readonly admitted: false; readonly because: string };
export const admitUpdate = defineUpdate<Admission, [CycleRequest]>('admit');

/**
 * Between a cycle and its guardian. Each is repeatable: the same cycle saying the same thing twice changes nothing.
 * The right to move traffic comes as the answer to an update, never as a signal: a signal can be sent by anyone who
 * reaches Temporal, and must not loosen anything.
 */
export interface LaneRequest {
  readonly cycle: string;
}
export type LaneAnswer =
  | {
      readonly granted: true;
      readonly token: FencingToken;
      readonly champion: string;
      readonly arms: readonly Arm[];
    }
  | { readonly granted: false; readonly wait: true; readonly behind: string }
  | { readonly granted: false; readonly wait: false; readonly because: string };
export const laneUpdate = defineUpdate<LaneAnswer, [LaneRequest]>('lane');
/** Tells a waiting cycle that asking again is worth it. */
export const laneFreeSignal = defineSignal<[]>('laneFree');
export interface CycleReport {
  /** Or a fix. */
  readonly cycle: string;
  readonly end: CycleEnd | FixEnd;
}
export const reportSignal = defineSignal<[CycleReport]>('report');

/** Every accepted cycle ends in exactly one of these. */
export const OUTCOMES = [
  'promoted',
  'kept',
  'rolled back',
  'rejected',
  'expired',
  'aborted',
  'failed',
  'killed',
] as const;
export type Outcome = (typeof OUTCOMES)[number];
export interface CycleEnd {
  readonly outcome: Outcome;
  readonly because: string;
  readonly challenger: string | null;
  /** The champion after this cycle, where the cycle knows it. */
  readonly champion: string | null;
}

export interface CycleInput {
  readonly service: string;
  readonly cycle: string;
  readonly request: CycleRequest;
  readonly plan: CyclePlan;
  readonly champion: string;
  readonly epoch: number;
}

/** One line of a cycle's timeline. */
export interface StageReport {
  readonly stage: Stage;
  readonly state: 'running' | 'waiting' | 'done' | 'skipped' | 'failed';
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly summary: string | null;
}
/** What a person needs to see before approving: exactly what the token will be bound to. */
export interface ApprovalRequest {
  readonly step: Stage;
  readonly variant: string;
  readonly evidence: string;
  readonly summary: string;
  readonly expiresAt: string;
  /** How many people must approve, and who has. Absent in cycles from before there was a quorum. */
  readonly quorum?: number;
  readonly approvals?: readonly Approval[];
  readonly requestedBy?: Actor;
}
export interface PromiseReport {
  readonly stage: Stage;
  readonly withinMs: number;
  readonly tookMs: number | null;
  readonly kept: boolean | null;
}
export interface CycleStatus {
  readonly service: string;
  readonly cycle: string;
  readonly workflowId: string;
  readonly environment: string;
  readonly stage: Stage | null;
  readonly paused: boolean;
  readonly approval: ApprovalRequest | null;
  /** Every approval that people have given this cycle. Absent in cycles from before there was a quorum. */
  readonly approvals?: readonly Approval[];
  readonly stages: readonly StageReport[];
  readonly promises: readonly PromiseReport[];
  readonly end: CycleEnd | null;
}
export const cycleStatusQuery = defineQuery<CycleStatus>('status');

export interface RunningCycle {
  readonly cycle: string;
  readonly workflowId: string;
  readonly startedAt: string;
  readonly trigger: CycleRequest['trigger'];
}
export interface GuardianStatus {
  readonly service: string;
  readonly latch: Latch;
  readonly because: string;
  readonly paused: boolean;
  readonly epoch: number;
  readonly promotion: number;
  readonly champion: string | null;
  readonly gold: string | null;
  readonly arms: readonly Arm[];
  readonly running: readonly RunningCycle[];
  /** The cycle that holds the traffic lane, and those that wait for it. */
  readonly lane: { readonly holder: string | null; readonly waiting: readonly string[] };
  readonly today: { readonly day: string; readonly admitted: number };
  readonly cooldownUntil: string | null;
  readonly last: ReadonlyArray<{ readonly cycle: string } & CycleEnd>;
  /** The fixes that ended last; absent while there were none. */
  readonly fixes?: ReadonlyArray<{ readonly fix: string } & FixEnd>;
}
export const guardianStatusQuery = defineQuery<GuardianStatus>('status');

export interface KillSwitchStatus {
  readonly killed: boolean;
  readonly because: string;
  readonly services: readonly string[];
}
export const killSwitchStatusQuery = defineQuery<KillSwitchStatus>('status');
