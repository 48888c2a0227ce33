import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ApiKey } from '../../contracts/access.ts';
import { openDatabase } from '../sqlite/database.ts';
import { storeFailure } from '../sqlite/store-failure.ts';
import type { AccessStore, NewKey } from './port.ts';
import { keyOf, mayRotate, unknownKey } from './rows.ts';

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
    return found ? keyOf(found) : null;
  };
  const need = (id: string): ApiKey => {
    const found = read(id);
    if (found) return found;
    throw unknownKey(id);
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
      return { key: keyOf(found), hash: found.hash, previous };
    },
    keys: async (tenant) => attempt(() => all.all({ tenant: tenant ?? null })).map(keyOf),
    rotate: async (id, change) =>
      transaction(() => {
        mayRotate(need(id), change.at);
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
