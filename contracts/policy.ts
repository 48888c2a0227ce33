/** What the policy is asked, and what it answers. */
import type { Environment } from './plan.ts';

/** What needs permission. A restriction (kill, pause, abort, reject, a rollback) needs none, and asks nobody. */
export const POLICY_ACTIONS = [
  'start',
  'train',
  'approve',
  'resume',
  'skip',
  'rearm',
  'gold',
  'deploy',
  'promote',
  'people',
  'gc',
  'erase',
  'restore',
] as const;
export type PolicyAction = (typeof POLICY_ACTIONS)[number];

/** A person is named by a verified signature; 'unsigned' is whoever merely says a name; 'automation' is Pawl itself. */
export type Principal =
  | { readonly kind: 'person'; readonly name: string; readonly roles: readonly string[] }
  | { readonly kind: 'unsigned'; readonly name: string }
  | { readonly kind: 'automation'; readonly name: string };

export interface PolicyQuestion {
  readonly action: PolicyAction;
  readonly principal: Principal;
  readonly service: string;
  /** null where it is not known; no policy permits anything there. */
  readonly environment: Environment | null;
  /** What the conditions look at: requester, approvals, budgets and what was used of them. JSON; whole numbers only. */
  readonly context: Readonly<Record<string, unknown>>;
}

export interface PolicyDecision {
  readonly id: string;
  readonly allowed: boolean;
  /** Ids of the policies that decided. */
  readonly policies: readonly string[];
  /** A sentence: which condition failed, or what permitted it. */
  readonly because: string;
  /** Digest of all policies that were asked. */
  readonly bundle: string;
}
