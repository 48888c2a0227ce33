import { later } from '../postgres/later.ts';
import type { AccessStore } from './port.ts';

export interface PostgresAccess {
  /** `postgres://…` */
  readonly address: string;
  /** Of the secret that tokens are hashed under: every home of the store must hold the same one. */
  readonly mark: () => string;
}

/** Keys that hold at the gateways of several machines, and are revoked at all of them at once. */
export const postgresAccess = (given: PostgresAccess): AccessStore => {
  const { ask, close } = later(given.address, async () =>
    (await import('./postgres-statements.ts')).postgresAccessStatements(given),
  );
  return {
    add: (key) => ask((store) => store.add(key)),
    key: (id) => ask((store) => store.key(id)),
    held: (id) => ask((store) => store.held(id)),
    keys: (tenant) => ask((store) => store.keys(tenant)),
    rotate: (id, change) => ask((store) => store.rotate(id, change)),
    revoke: (id, at) => ask((store) => store.revoke(id, at)),
    used: (id, at) => ask((store) => store.used(id, at)),
    invite: (invite) => ask((store) => store.invite(invite)),
    invited: (hash, at) => ask((store) => store.invited(hash, at)),
    claim: (hash, key) => ask((store) => store.claim(hash, key)),
    close,
  };
};
