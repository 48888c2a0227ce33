import type { ApiKey, KeyRole } from '../../contracts/access.ts';

/** What a key is made with. `hash` is all that is kept of its secret. */
export interface NewKey {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly role: KeyRole;
  readonly hash: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** A key that is not revoked, with what its holder must prove. */
export interface HeldKey {
  readonly key: ApiKey;
  readonly hash: string;
  /** Of the secret before the last rotation; it counts until `graceUntil` of the key. */
  readonly previous: string | null;
}

export interface Invite {
  readonly hash: string;
  readonly tenant: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/**
 * The API keys of a home, or of the homes that share a store, and the invitations to make one.
 *
 * 1. It holds hashes: who reads it can use none of the keys in it.
 * 2. What one process changes, every other one finds at its next question.
 * 3. A revoked key stays, and is never changed again; of its hashes nothing is left.
 * 4. An invitation makes at most one key, in one transaction.
 */
export interface AccessStore {
  add(key: NewKey): Promise<ApiKey>;
  key(id: string): Promise<ApiKey | null>;
  /** null where it is unknown or revoked. */
  held(id: string): Promise<HeldKey | null>;
  /** Oldest first; of one tenant where it is named. */
  keys(tenant?: string): Promise<readonly ApiKey[]>;
  /** Puts a new secret in the place of the one that holds now. NotFound; Refused where it is revoked or expired. */
  rotate(id: string, change: { hash: string; at: string; graceUntil: string }): Promise<ApiKey>;
  /** NotFound. A key that is revoked already stays as it is. */
  revoke(id: string, at: string): Promise<ApiKey>;
  /** Moments before the last one change nothing. */
  used(id: string, at: string): Promise<void>;
  invite(invite: Invite): Promise<void>;
  /** The tenant that it invites to; null where it is unknown, expired or used. */
  invited(hash: string, at: string): Promise<string | null>;
  /** Spends the invitation and adds the key; null as above, and nothing is added then. */
  claim(hash: string, key: NewKey): Promise<ApiKey | null>;
  close(): void;
}
