/** Activities that workflows on the control queue call: the latch, traffic, tokens, the ledger, the guardian's admission. */

import type { LedgerHead } from './ledger.ts';
import type { Admission, CycleEnd, CycleRequest, LaneAnswer } from './messages.ts';
import type { Notice } from './notice.ts';
import type { CyclePlan } from './plan.ts';
import type { FixEnd } from './remediation.ts';
import type { TokenAnswer, TokenUse } from './token.ts';
import type {
  Actor,
  ArmOrder,
  GoldOrder,
  GrantOrder,
  KillOrder,
  ServiceState,
  StateAnswer,
  TrafficChange,
} from './traffic.ts';

export interface LedgerEntry {
  readonly key: string;
  readonly service: string;
  readonly cycle: string | null;
  readonly kind: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface EndedWorkflow {
  readonly workflowId: string;
  /** Temporal's word for how it closed; 'NOT_FOUND' when nothing is known of it. */
  readonly status: string;
  readonly end: CycleEnd | FixEnd | null;
  /** The variant that it made champion, where it ended without a word after that. */
  readonly promoted?: string;
}

/** Asks the policy whether this request may become a cycle, within what was used of the day's budgets. */
export interface StartQuestion {
  /** The same key gets the first answer. */
  readonly key: string;
  readonly service: string;
  readonly request: CycleRequest;
  readonly admittedToday: number;
  readonly limits: CyclePlan['limits'];
}
export type StartAnswer =
  /** `requestedBy` is who was proven to ask, where somebody was. */
  | { readonly allowed: true; readonly requestedBy: Actor; readonly decision: string }
  | { readonly allowed: false; readonly because: string };

export interface ControlActivities {
  /** What the store holds of a service; null when it has never been registered. */
  readState(input: { service: string }): Promise<ServiceState | null>;
  /** The plan that pawl.yaml gives a cycle that starts now. */
  readPlan(input: { service: string }): Promise<CyclePlan>;
  /** Gives a cycle the next promotion number; every older number is fenced off from then on. */
  grantLane(order: GrantOrder): Promise<StateAnswer>;
  shiftTraffic(change: TrafficChange): Promise<StateAnswer>;
  kill(order: KillOrder): Promise<StateAnswer>;
  arm(order: ArmOrder): Promise<StateAnswer>;
  setGold(order: GoldOrder): Promise<StateAnswer>;
  /** Whether a signed token holds for this use and the policy permits it; the decision is in the ledger. */
  verifyToken(use: TokenUse): Promise<TokenAnswer>;
  mayStart(question: StartQuestion): Promise<StartAnswer>;
  /** Rows for the ledger, in this order; answers with the head after them. */
  note(input: { entries: readonly LedgerEntry[] }): Promise<LedgerHead>;
  /** Tells people, on the worker's log and by the webhooks of the service's configuration. */
  notify(notice: Notice): Promise<void>;
  /** Kills, or lifts, every service of the store at once; answers with the services it found. */
  killAll(order: Omit<KillOrder, 'service'>): Promise<{ services: readonly string[] }>;
  liftAll(order: Omit<ArmOrder, 'service'>): Promise<{ services: readonly string[] }>;
  /** Asks the guardian for a cycle, and starts the guardian if it does not run. */
  admit(input: { service: string; request: CycleRequest }): Promise<Admission>;
  /** Asks the guardian for the traffic lane on behalf of a cycle. */
  askLane(input: { service: string; cycle: string }): Promise<LaneAnswer>;
  /** Which of these workflows do not run any more, and what they returned. */
  findEnded(input: { workflowIds: readonly string[] }): Promise<readonly EndedWorkflow[]>;
}
