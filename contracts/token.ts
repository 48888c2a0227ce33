import type { PolicyDecision } from './policy.ts';
import type { Actor } from './traffic.ts';

/** What a person signs to loosen something. The signature is over the UTF-8 bytes of the payload's JSON text. */
export interface TokenClaims {
  readonly v: 1;
  /** Which key signed: the id of a public key that the service's home knows. */
  readonly kid: string;
  /** What it allows. */
  readonly action: 'start' | 'train' | 'approve' | 'rearm' | 'resume' | 'skip' | 'promote' | 'retry' | 'gold';
  /** The workflow it is meant for. */
  readonly workflow: string;
  /** Cycle stage it is bound to, where the action has one. */
  readonly step: string | null;
  /** Variant and evidence that the person looked at, where the action has one. */
  readonly variant: string | null;
  readonly evidence: string | null;
  readonly person: string;
  readonly role: string;
  readonly reason: string;
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** Makes the token single-use. */
  readonly nonce: string;
}

/** `<base64url of the claims' JSON>.<base64url of the Ed25519 signature>` */
export type SignedToken = string;

/** What a token is held against. Every field must equal the claim of the same name. */
export interface TokenUse {
  readonly token: SignedToken;
  readonly action: TokenClaims['action'];
  readonly workflow: string;
  readonly step: string | null;
  readonly variant: string | null;
  readonly evidence: string | null;
  /** Idempotency key of the use: the same use may be checked twice, another use of the same token is refused. */
  readonly key: string;
  /** What the policy needs to know beyond the token. */
  readonly about?: {
    readonly service: string;
    readonly cycle?: string;
    /** Who asked for the cycle, where a person did. */
    readonly requestedBy?: Actor;
    /** Who has approved this step before. */
    readonly approvedBy?: readonly string[];
    /** Roles that may decide now, where the plan narrows them. */
    readonly roles?: readonly string[];
  };
}

export type TokenAnswer =
  | { readonly valid: true; readonly claims: TokenClaims; readonly decision?: PolicyDecision }
  | { readonly valid: false; readonly because: string; readonly decision?: PolicyDecision };
