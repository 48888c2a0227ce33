/** What the policy is asked, and what it answers. */
import type { KeyRole } from './access.ts';
import type { Environment } from './plan.ts';
import type { TokenClaims } from './token.ts';

/** What somebody may ask of the gateway. A route names one of them, or stands open to everybody. */
export const REQUEST_ACTIONS = [
  'search',
  /** Looks at what serves, at documents and vitals. */
  'read',
  'feedback',
  'documents',
  'judge',
  /** Says which variant answers. */
  'pin',
  'metrics',
  'keys',
] as const;
export type RequestAction = (typeof REQUEST_ACTIONS)[number];

/** What needs permission. A restriction (kill, pause, abort, reject, a rollback) needs none, and asks nobody. */
export const POLICY_ACTIONS = [
  'start',
  'train',
  'approve',
  'resume',
  'skip',
  'retry',
  'rearm',
  'gold',
  'deploy',
  'promote',
  'people',
  'gc',
  'erase',
  'restore',
  ...REQUEST_ACTIONS,
] as const;
export type PolicyAction = (typeof POLICY_ACTIONS)[number];

/**
 * What is asked about a person's token. Who promotes a canary that waits decides what users get, as who approves does; the
 * policy's own `promote` is about traffic, and the canary asks it again when it moves.
 */
export const askedAbout = (action: TokenClaims['action']): PolicyAction => (action === 'promote' ? 'approve' : action);

/** A person is named by a verified signature; 'unsigned' is whoever merely says a name; 'automation' is Pawl itself. */
export type Principal =
  | { readonly kind: 'person'; readonly name: string; readonly roles: readonly string[] }
  | { readonly kind: 'unsigned'; readonly name: string }
  | { readonly kind: 'automation'; readonly name: string }
  /** An API key of the gateway, named by its id. */
  | { readonly kind: 'key'; readonly name: string; readonly role: KeyRole; readonly tenant: string }
  /** Whoever asks the gateway without a key. */
  | { readonly kind: 'visitor'; readonly name: string };

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
