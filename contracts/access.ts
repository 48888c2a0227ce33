/** Who asks the gateway, as far as it knows. */

export const KEY_ROLES = ['reader', 'writer', 'admin'] as const;
/** reader: asks and gives feedback. writer: changes documents too. admin: keys too. */
export type KeyRole = (typeof KEY_ROLES)[number];

/** open: this machine may ask without a key. keys: nobody may. What writes needs a key in both. */
export const ACCESS_MODES = ['open', 'keys'] as const;
export type AccessMode = (typeof ACCESS_MODES)[number];

/** Documents and callers of one tenant never meet those of another. */
export const DEFAULT_TENANT = 'default';
export const TENANT_NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

export interface Caller {
  /** Id of the key; null where a gateway that is open to this machine alone was asked without one. */
  readonly key: string | null;
  readonly tenant: string;
  readonly role: KeyRole;
}

/** What is told of an API key; its secret is known to its holder alone. Moments are ISO 8601. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly role: KeyRole;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** To the hour. */
  readonly lastUsedAt: string | null;
  readonly rotatedAt: string | null;
  /** Until then the secret from before the rotation holds too. */
  readonly graceUntil: string | null;
  readonly revokedAt: string | null;
}

/** A host or an address that only this machine reaches. */
export const isLoopback = (host: string): boolean => {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(name);
};
