import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type ApiKey, KEY_ROLES } from '../../contracts/access.ts';
import { PawlError } from '../../contracts/failures.ts';
import { openDatabase } from '../sqlite/database.ts';
import { storeFailure } from '../sqlite/store-failure.ts';
import type { AccessStore, NewKey } from './port.ts';

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE keys (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    tenant        TEXT NOT NULL,
    role          TEXT NOT NULL,
    hash          TEXT,
    previous_hash TEXT,
    created_at    TEXT NOT NULL,
    expires_at    TEXT,
    last_used_at  TEXT,
    rotated_at    TEXT,
    grace_until   TEXT,
    revoked_at    TEXT,
    CHECK ((hash IS NULL) = (revoked_at IS NOT NULL))
  ) STRICT;
  CREATE TABLE invites (
    hash       TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    claimed_by TEXT REFERENCES keys (id)
  ) STRICT;
  `,
];

const row = z
  .object({
    id: z.string(),
    name: z.string(),
    tenant: z.string(),
    role: z.enum(KEY_ROLES),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
    rotated_at: z.string().nullable(),
    grace_until: z.string().nullable(),
    revoked_at: z.string().nullable(),
  })
  .transform(
    ({ id, name, tenant, role, ...at }): ApiKey => ({
      id,
      name,
      tenant,
      role,
      createdAt: at.created_at,
      expiresAt: at.expires_at,
      lastUsedAt: at.last_used_at,
      rotatedAt: at.rotated_at,
      graceUntil: at.grace_until,
      revokedAt: at.revoked_at,
    }),
  );

/** The gateway asks with every request: it would rather say that it cannot than keep all of them waiting. */
const BUSY_MS = 250;

export const sqliteAccess = (path: string): AccessStore => {
  if (path !== ':memory:') forOwnerOnly(path);
  const { db, attempt, transaction, close } = openDatabase({
    path,
    migrations: MIGRATIONS,
    synchronous: 'FULL',
    busyMs: BUSY_MS,
  });
  const insert = db.prepare(
    'INSERT INTO keys (id, name, tenant, role, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const one = db.prepare('SELECT * FROM keys WHERE id = ?');
  const all = db.prepare('SELECT * FROM keys WHERE :tenant IS NULL OR tenant = :tenant ORDER BY created_at, id');
  const setSecret = db.prepare(
    'UPDATE keys SET previous_hash = hash, hash = :hash, rotated_at = :at, grace_until = :graceUntil WHERE id = :id',
  );
  const setRevoked = db.prepare(
    'UPDATE keys SET revoked_at = :at, hash = NULL, previous_hash = NULL, grace_until = NULL WHERE id = :id',
  );
  const setUsed = db.prepare(
    'UPDATE keys SET last_used_at = :at WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :at)',
  );
  const insertInvite = db.prepare('INSERT INTO invites (hash, tenant, created_at, expires_at) VALUES (?, ?, ?, ?)');
  const openInvite = db.prepare(
    'SELECT tenant FROM invites WHERE hash = :hash AND claimed_by IS NULL AND created_at <= :at AND expires_at > :at',
  );
  const setClaimed = db.prepare('UPDATE invites SET claimed_by = ? WHERE hash = ?');

  const read = (id: string): ApiKey | null => {
    const found = one.get(id);
    return found ? row.parse(found) : null;
  };
  const need = (id: string): ApiKey => {
    const found = read(id);
    if (found) return found;
    throw new PawlError('NotFound', `There is no API key ${id}`, { hint: '`pawl key ls` lists them.' });
  };
  const write = ({ id, name, tenant, role, hash, createdAt, expiresAt }: NewKey): ApiKey => {
    insert.run(id, name, tenant, role, hash, createdAt, expiresAt);
    return need(id);
  };
  const tenantOf = (hash: string, at: string): string | null => {
    const found = openInvite.get({ hash, at });
    return found ? String(found.tenant) : null;
  };

  return {
    add: async (key) => transaction(() => write(key)),
    key: async (id) => attempt(() => read(id)),
    held: async (id) => {
      const found = attempt(() => one.get(id));
      if (typeof found?.hash !== 'string') return null;
      const previous = typeof found.previous_hash === 'string' ? found.previous_hash : null;
      return { key: row.parse(found), hash: found.hash, previous };
    },
    keys: async (tenant) => attempt(() => all.all({ tenant: tenant ?? null })).map((found) => row.parse(found)),
    rotate: async (id, change) =>
      transaction(() => {
        const { revokedAt, expiresAt } = need(id);
        const because =
          revokedAt !== null ? 'revoked' : expiresAt !== null && expiresAt <= change.at ? 'expired' : null;
        if (because !== null) {
          throw new PawlError('Refused', `The API key ${id} is ${because}`, {
            hint: 'Make a new one: `pawl key create`.',
          });
        }
        setSecret.run({ id, ...change });
        return need(id);
      }),
    revoke: async (id, at) =>
      transaction(() => {
        if (need(id).revokedAt === null) setRevoked.run({ id, at });
        return need(id);
      }),
    used: async (id, at) => void attempt(() => setUsed.run({ id, at })),
    invite: async ({ hash, tenant, createdAt, expiresAt }) =>
      void attempt(() => insertInvite.run(hash, tenant, createdAt, expiresAt)),
    invited: async (hash, at) => attempt(() => tenantOf(hash, at)),
    claim: async (hash, key) =>
      transaction(() => {
        if (tenantOf(hash, key.createdAt) !== key.tenant) return null;
        const made = write(key);
        setClaimed.run(key.id, hash);
        return made;
      }),
    close,
  };
};

/** SQLite gives the files beside it the same mode. */
const forOwnerOnly = (path: string): void => {
  try {
    mkdirSync(dirname(path), { recursive: true });
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw storeFailure(path, error);
  }
};
