/**
 * A remediation: the fast answer when what serves breaks outside of any experiment. It takes one remedy after the other until
 * the breach is over, and ends exactly once.
 */
import type { Mode } from './plan.ts';
import type { SignedToken } from './token.ts';
import type { Actor, Arm, FencingToken } from './traffic.ts';
import type { Gate, GateFinding } from './vitals.ts';

/** In the order in which they are tried unless the plan or experience says otherwise: what changes least comes first. */
export const REMEDIES = ['restart', 'scale', 'cheaper', 'previous', 'gold'] as const;
export type Remedy = (typeof REMEDIES)[number];

/** Which symptom is answered by what. Remedies of which the service has none (no hook, no variant) are passed over. */
export interface RemediationPlan {
  readonly remedies: Readonly<Partial<Record<string, readonly Remedy[]>>>;
  /** How long a remedy has to show in the vitals, and how often they are looked at. */
  readonly settleMs: number;
  readonly lookMs: number;
  /** Restart and scale are the owner's: a hook for each, as in contracts/canary.ts. */
  readonly hooks: Readonly<Partial<Record<'restart' | 'scale', { readonly url: string; readonly timeoutMs: number }>>>;
  /** How often a service may be remedied within an hour before a person is asked instead. */
  readonly perHour: number;
}

/** Asks the guardian for one. Automatic, or by a person's `undo`. */
export interface FixRequest {
  readonly key: string;
  readonly requestedBy: Actor;
  readonly reason: string;
  readonly findings: readonly GateFinding[];
  /** Only this remedy: what an `undo` asks for, and what a watch after a promotion does. */
  readonly only?: Remedy;
  /** The champion that it is about; another one since then ends it before it begins. */
  readonly champion?: string;
  readonly token?: SignedToken;
  /** When the first failing reading was taken: what is promised is promised from then on. Its start where absent. */
  readonly since?: string;
}

export const FIX_OUTCOMES = ['remedied', 'not needed', 'asked', 'failed', 'aborted', 'killed'] as const;
export type FixOutcome = (typeof FIX_OUTCOMES)[number];
export interface FixEnd {
  readonly outcome: FixOutcome;
  readonly because: string;
  /** What helped, and what was tried before it. */
  readonly remedy: Remedy | null;
  readonly tried: ReadonlyArray<{ readonly remedy: Remedy; readonly result: string; readonly tookMs: number }>;
  readonly champion: string | null;
}

export interface FixInput {
  readonly service: string;
  /** `fx_2026_11_21_003` */
  readonly fix: string;
  readonly request: FixRequest;
  readonly plan: RemediationPlan;
  readonly gates: readonly Gate[];
  readonly champion: string;
  /** The right to move traffic, given with the start: nothing else holds the lane then. */
  readonly token: FencingToken;
  readonly arms: readonly Arm[];
}

export type FixAnswer =
  | { readonly admitted: true; readonly fix: string; readonly workflowId: string }
  /**
   * `wait`: an experiment holds the lane; its own analysis decides, and asking again later is worth it. `ask`: there were
   * too many of them, so whoever asked tells people; once an hour.
   */
  | { readonly admitted: false; readonly wait: boolean; readonly because: string; readonly ask?: true };

/** How a service may be remedied, from its configuration. */
export interface FixSettings {
  readonly mode: Mode;
  readonly plan: RemediationPlan;
  /** The fast ones: those with an absolute limit. */
  readonly gates: readonly Gate[];
}

/** A variant that the service can go back to. */
export interface WayBack {
  readonly variant: string;
  /** From its baseline; null where there is none. */
  readonly cost: number | null;
  readonly quality: number | null;
}
/** How a fix of this service went before. */
export interface PastFix {
  readonly symptoms: readonly string[];
  readonly tried: ReadonlyArray<{ readonly remedy: Remedy; readonly result: string }>;
}
/** What the ledger and the registry know, on which remedies are chosen. */
export interface FixFacts {
  readonly champion: WayBack | null;
  readonly gold: string | null;
  /** Those that were champion before and were not left as broken, the newest first. */
  readonly back: readonly WayBack[];
  /** By which decision of a person the champion is what it is; null where by none. */
  readonly decided: string | null;
  /** The newest last. */
  readonly past: readonly PastFix[];
}

/** A remedy that can be taken, and the variant that it makes champion; null where it leaves the champion. */
export interface FixStep {
  readonly remedy: Remedy;
  readonly variant: string | null;
}
export interface FixCourse {
  readonly steps: readonly FixStep[];
  /** What the service has not, or what may not be done. */
  readonly passedOver: ReadonlyArray<{ readonly remedy: Remedy; readonly because: string }>;
  /** Set where a remedy was left out for a person to decide. */
  readonly ask: string | null;
}

export interface FixPromise {
  readonly gate: string;
  readonly withinMs: number;
  readonly tookMs: number;
  readonly kept: boolean;
}

export interface LookOrder {
  readonly service: string;
  /** The champion of the moment where absent. */
  readonly champion?: string;
  /** Nothing from before counts. */
  readonly since?: string;
  /** The fast gates of the configuration where absent. */
  readonly gates?: readonly Gate[];
}
export interface FastLook {
  readonly champion: string | null;
  readonly findings: readonly GateFinding[];
}

/** Activities of remediation. All of them read, or are keyed: they are repeated at will. */
export interface RemediationActivities {
  /** Asks the guardian for a fix, and starts the guardian if it does not run. */
  askFix(order: { readonly service: string; readonly request: FixRequest }): Promise<FixAnswer>;
  readFixSettings(order: { readonly service: string }): Promise<FixSettings>;
  readFixFacts(order: { readonly service: string }): Promise<FixFacts>;
  /** On the queue for data: the fast gates over what the champion has served. */
  lookForBreach(order: LookOrder): Promise<FastLook>;
  /** Has the owner's server do it. */
  callRemedy(order: {
    readonly service: string;
    readonly fix: string;
    readonly key: string;
    readonly remedy: 'restart' | 'scale';
    readonly findings: readonly GateFinding[];
  }): Promise<{ readonly ok: boolean; readonly because: string }>;
}
