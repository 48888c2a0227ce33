/**
 * API keys, from their making to their end.
 *
 * 1. A token is shown once, to whoever asked for it; here and in the ledger it is known by its id.
 * 2. A token is handed out when the ledger tells of it, and not before; what nobody was handed opens nothing. A revocation
 *    holds whether the ledger can be written or not.
 * 3. Of a token that does not hold, nobody learns why: an unknown id takes the same work as a wrong secret.
 */
import { timingSafeEqual } from 'node:crypto';
import type { ApiKey, Caller, KeyRole } from '../../contracts/access.ts';
import { FLEET } from '../../contracts/ids.ts';
import type { Actor } from '../../contracts/traffic.ts';
import type { ControlStore } from '../control/port.ts';
import type { AccessStore, NewKey } from './port.ts';
import { unknownKey } from './rows.ts';
import { idInToken, isInviteToken, newInviteToken, newKeyId, newKeyToken, type TokenHash } from './token.ts';

export const GRACE_MS = 24 * 3_600_000;
const INVITE_MS = 15 * 60_000;
const HOUR_MS = 3_600_000;

export interface KeyringDeps {
  readonly store: AccessStore;
  readonly hash: TokenHash;
  readonly control: Pick<ControlStore, 'note'>;
  readonly now: () => number;
}

/** Who does it, and why: what the ledger tells. */
export interface By {
  readonly actor: Actor;
  readonly reason: string;
}
export interface Issued {
  readonly key: ApiKey;
  /** To be shown now: it cannot be found again. */
  readonly token: string;
}
export interface KeyWish {
  readonly name: string;
  readonly tenant: string;
  readonly role: KeyRole;
  readonly lifeMs: number | null;
}

type Named = Pick<ApiKey, 'id' | 'name' | 'tenant' | 'role'>;

export interface Keyring {
  list(tenant?: string): Promise<readonly ApiKey[]>;
  /** NotFound for a key of another tenant too, where one is named. */
  find(id: string, tenant?: string): Promise<ApiKey>;
  create(wish: KeyWish, by: By): Promise<Issued>;
  /** The secret from before holds for `graceMs` more. */
  rotate(id: string, graceMs: number, by: By): Promise<Issued>;
  /** `noted`: whether the ledger has a row of it. */
  revoke(id: string, by: By): Promise<{ key: ApiKey; noted: boolean }>;
  invite(tenant: string, by: By): Promise<{ token: string; tenant: string; expiresAt: string }>;
  /** The first key of whoever was invited: an admin's. null where the invitation does not hold. */
  claim(token: string, name: string): Promise<Issued | null>;
  /** null where it does not hold. */
  callerOf(token: string): Promise<Caller | null>;
  /** Remembers, to the hour, that the key is in use. */
  used(id: string): Promise<void>;
}

export const createKeyring = ({ store, hash, control, now }: KeyringDeps): Keyring => {
  const moment = (ms = now()): string => new Date(ms).toISOString();
  const note = async (what: string, { id, name, tenant, role }: Named, by: By, n: string) =>
    control.note({
      key: `api-key/${what}/${id}/${n}`,
      service: FLEET,
      cycle: null,
      kind: `api key ${what}`,
      body: { id, name, tenant, role },
      ...by,
    });
  const lastHour = new Map<string, string>();

  const minted = ({ name, tenant, role, lifeMs }: KeyWish): { key: NewKey; token: string } => {
    const id = newKeyId();
    const token = newKeyToken(id);
    const at = now();
    const expiresAt = lifeMs === null ? null : moment(at + lifeMs);
    return { token, key: { id, name, tenant, role, hash: hash(token), createdAt: moment(at), expiresAt } };
  };
  const matches = (shown: string, kept: string): boolean => timingSafeEqual(Buffer.from(shown), Buffer.from(kept));
  const find: Keyring['find'] = async (id, tenant) => {
    const key = await store.key(id);
    if (key && (tenant === undefined || key.tenant === tenant)) return key;
    throw unknownKey(id);
  };

  return {
    list: (tenant) => store.keys(tenant),
    find,
    create: async (wish, by) => {
      const { key, token } = minted(wish);
      const added = await store.add(key);
      await note('created', added, by, '1');
      return { key: added, token };
    },
    rotate: async (id, graceMs, by) => {
      const token = newKeyToken(id);
      const at = now();
      const graceUntil = moment(at + graceMs);
      const key = await store.rotate(id, { hash: hash(token), at: moment(at), graceUntil });
      await note('rotated', key, by, moment(at));
      return { key, token };
    },
    revoke: async (id, by) => {
      const key = await store.revoke(id, moment());
      const noted = await note('revoked', key, by, '1').then(
        () => true,
        () => false,
      );
      return { key, noted };
    },
    invite: async (tenant, by) => {
      const token = newInviteToken();
      const kept = hash(token);
      const at = now();
      const expiresAt = moment(at + INVITE_MS);
      await store.invite({ hash: kept, tenant, createdAt: moment(at), expiresAt });
      await note('invitation', { id: kept.slice(0, 16), name: 'invitation', tenant, role: 'admin' }, by, '1');
      return { token, tenant, expiresAt };
    },
    claim: async (token, name) => {
      const invite = hash(token);
      const tenant = isInviteToken(token) ? await store.invited(invite, moment()) : null;
      if (tenant === null) return null;
      const { key, token: made } = minted({ name, tenant, role: 'admin', lifeMs: null });
      const added = await store.claim(invite, key);
      if (!added) return null;
      const actor = { kind: 'invitation', name: invite.slice(0, 16) };
      await note('claimed', added, { actor, reason: 'an invitation was used' }, '1');
      return { key: added, token: made };
    },
    callerOf: async (token) => {
      const id = idInToken(token);
      const held = id === null ? null : await store.held(id);
      const shown = hash(token);
      // Something is compared where there is nothing to compare with, so that the answer takes as long.
      const nothing = '0'.repeat(shown.length);
      const isCurrent = matches(shown, held?.hash ?? nothing);
      const isPrevious = matches(shown, held?.previous ?? nothing);
      if (!held) return null;
      const { key } = held;
      const at = moment();
      if (key.expiresAt !== null && key.expiresAt <= at) return null;
      const inGrace = isPrevious && key.graceUntil !== null && at < key.graceUntil;
      return isCurrent || inGrace ? { key: key.id, tenant: key.tenant, role: key.role } : null;
    },
    used: async (id) => {
      const hour = moment(Math.floor(now() / HOUR_MS) * HOUR_MS);
      if (lastHour.get(id) === hour) return;
      lastHour.set(id, hour);
      await store.used(id, hour);
    },
  };
};
