import type { LedgerEntry } from './control.ts';
import type { LedgerHead } from './ledger.ts';
import type { CycleEnd, CycleRequest, RunningCycle } from './messages.ts';
import type { FixEnd } from './remediation.ts';
import type { SignedToken } from './token.ts';
import type { Actor, ServiceState } from './traffic.ts';

/** What a guardian remembers from run to run; plain JSON, because it is the input of the next run. */
export interface GuardianMemory {
  /** What the store answered last; the store stays the truth. */
  readonly state: ServiceState | null;
  readonly paused: { readonly by: string; readonly reason: string } | null;
  readonly running: readonly RunningCycle[];
  readonly lane: { readonly holder: string | null; readonly waiting: readonly string[] };
  readonly today: { readonly day: string; readonly admitted: number; readonly lastNumber: number };
  readonly cooldownUntil: number | null;
  /** The cool-down of the plan that was read last. */
  readonly cooldownMs: number;
  /** Answers given to requests, newest last, so that a repeated request gets the first answer. */
  readonly answered: ReadonlyArray<{ readonly key: string; readonly cycle: string; readonly workflowId: string }>;
  readonly last: ReadonlyArray<{ readonly cycle: string } & CycleEnd>;
  /** Absent until the first fix, and in the memory of guardians from before there were any. */
  readonly fixes?: FixesMemory;
  /** What is still to be written to the ledger, in order. */
  readonly outbox: readonly LedgerEntry[];
  /** The ledger's head as it was told last: noted here so that a ledger that was cut off shows. */
  readonly ledger?: LedgerHead;
  /** Counts keyed effects, so that each has a key of its own over all runs. */
  readonly effects: number;
}

export interface FixesMemory {
  /** When they were admitted, in ms, as far as that still counts. */
  readonly admitted: readonly number[];
  readonly day: string;
  readonly lastNumber: number;
  /** When a person was last asked instead of one more, in ms. */
  readonly askedAt: number | null;
  readonly last: ReadonlyArray<{ readonly fix: string } & FixEnd>;
}

export interface GuardianInput {
  readonly service: string;
  readonly memory?: GuardianMemory;
  /** Events after which a new run starts; the server's own suggestion where absent. */
  readonly historyLimit?: number;
  /** How often it looks after cycles that run; 30 s where absent. */
  readonly lookAfterMs?: number;
}

export interface TriggerInput {
  /** A quick look at the fast gates, and a fix where one is breached; a cycle where absent. */
  readonly kind?: 'fix';
  readonly service: string;
  readonly reason?: string;
  readonly trigger?: CycleRequest['trigger'];
  readonly requestedBy?: Actor;
  /** Proves who asks, where a person does. */
  readonly token?: SignedToken;
  /** A variant that is there already, to be tried instead of one that is trained. */
  readonly challenger?: string;
}

export interface KillSwitchInput {
  readonly memory?: KillSwitchMemory;
  readonly historyLimit?: number;
}
export interface KillSwitchMemory {
  readonly killed: boolean;
  readonly because: string;
  readonly services: readonly string[];
  readonly effects: number;
}
