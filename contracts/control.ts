/** Activities that workflows on the control queue call: the latch, traffic, tokens, the ledger, the guardian's admission. */

import type { Admission, CycleRequest } from './messages.ts';
import type { CyclePlan } from './plan.ts';
import type { TokenAnswer, TokenUse } from './token.ts';
import type { Actor, ArmOrder, GoldOrder, KillOrder, ServiceState, StateAnswer, TrafficChange } from './traffic.ts';

export interface LedgerEntry {
  readonly key: string;
  readonly service: string;
  readonly cycle: string | null;
  readonly kind: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ControlActivities {
  /** What the store holds of a service; null when it has never been registered. */
  readState(input: { service: string }): Promise<ServiceState | null>;
  /** The plan that pawl.yaml gives a cycle that starts now. */
  readPlan(input: { service: string }): Promise<CyclePlan>;
  shiftTraffic(change: TrafficChange): Promise<StateAnswer>;
  kill(order: KillOrder): Promise<StateAnswer>;
  arm(order: ArmOrder): Promise<StateAnswer>;
  setGold(order: GoldOrder): Promise<StateAnswer>;
  verifyToken(use: TokenUse): Promise<TokenAnswer>;
  note(entry: LedgerEntry): Promise<void>;
  /** Kills, or lifts, every service of the store at once; answers with the services it found. */
  killAll(order: Omit<KillOrder, 'service'>): Promise<{ services: readonly string[] }>;
  liftAll(order: Omit<ArmOrder, 'service'>): Promise<{ services: readonly string[] }>;
  /** Asks the guardian for a cycle, and starts the guardian if it does not run. */
  admit(input: { service: string; request: CycleRequest }): Promise<Admission>;
}
