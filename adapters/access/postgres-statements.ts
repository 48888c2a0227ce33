/**
 * The access store's statements on PostgreSQL.
 *
 * 1. A change of a key holds its row first: of two at once the second sees what the first has left.
 * 2. A home whose secret is another than that of the keys is told so, and neither makes nor opens any: what it made would
 *    open nothing elsewhere, and nobody could see why.
 */
import { type Kysely, sql } from 'kysely';
import type { ApiKey } from '../../contracts/access.ts';
import { PawlError } from '../../contracts/failures.ts';
import { postgresAddress } from '../postgres/address.ts';
import { openPostgres } from '../postgres/database.ts';
import type { AccessStore, NewKey } from './port.ts';
import type { PostgresAccess } from './postgres.ts';
import { type AccessTables, POSTGRES_ACCESS_MIGRATIONS } from './postgres-schema.ts';
import { keyOf, mayRotate, unknownKey } from './rows.ts';

/** The gateway asks with every request: it would rather say that it cannot than keep all of them waiting. */
const SILENCE_MS = 3_000;

type Db = Kysely<AccessTables>;

export const postgresAccessStatements = ({ address, mark }: PostgresAccess): AccessStore => {
  const { place } = postgresAddress(address);
  const { attempt, transaction, close } = openPostgres<AccessTables>({
    ...{ address, part: 'access', migrations: POSTGRES_ACCESS_MIGRATIONS, turn: null },
    ...{ silenceMs: SILENCE_MS, connections: 5 },
    begin: {
      due: async (db) => {
        const found = await markOf(db);
        if (found !== null && found !== mark()) throw otherSecret(place);
        return found === null;
      },
      change: async (tx) => {
        const insert = tx.insertInto('api_secret').values({ id: 1, mark: mark() });
        await insert.onConflict((conflict) => conflict.doNothing()).execute();
        if ((await markOf(tx)) !== mark()) throw otherSecret(place); // Another home was faster.
      },
    },
  });

  return {
    add: (key) => transaction((tx) => write(tx, key)),
    key: (id) => attempt((db) => read(db, id)),
    held: (id) =>
      attempt(async (db) => {
        const found = await rowOf(db, id).executeTakeFirst();
        if (!found || found.hash === null) return null;
        return { key: keyOf(found), hash: found.hash, previous: found.previous_hash };
      }),
    keys: (tenant) =>
      attempt(async (db) => {
        const found = db.selectFrom('api_keys').selectAll();
        const wanted = tenant === undefined ? found : found.where('tenant', '=', tenant);
        return (await wanted.orderBy('created_at').orderBy('id').execute()).map(keyOf);
      }),
    rotate: (id, { hash, at, graceUntil }) =>
      transaction(async (tx) => {
        mayRotate(await held(tx, id), at);
        const next = { previous_hash: sql<string>`hash`, hash, rotated_at: at, grace_until: graceUntil };
        await tx.updateTable('api_keys').set(next).where('id', '=', id).execute();
        return need(tx, id);
      }),
    revoke: (id, at) =>
      transaction(async (tx) => {
        if ((await held(tx, id)).revokedAt === null) {
          const next = { revoked_at: at, hash: null, previous_hash: null, grace_until: null };
          await tx.updateTable('api_keys').set(next).where('id', '=', id).execute();
        }
        return need(tx, id);
      }),
    used: (id, at) =>
      transaction(async (tx) => {
        const earlier = tx.updateTable('api_keys').set({ last_used_at: at }).where('id', '=', id);
        await earlier.where(sql<boolean>`last_used_at IS NULL OR last_used_at < ${at}`).execute();
      }),
    invite: ({ hash, tenant, createdAt, expiresAt }) =>
      transaction(async (tx) => {
        const row = { hash, tenant, created_at: createdAt, expires_at: expiresAt, claimed_by: null };
        await tx.insertInto('api_invites').values(row).execute();
      }),
    invited: (hash, at) => attempt(async (db) => (await openInvite(db, hash, at).executeTakeFirst())?.tenant ?? null),
    claim: (hash, key) =>
      transaction(async (tx) => {
        const invite = await openInvite(tx, hash, key.createdAt).forUpdate().executeTakeFirst();
        if (invite?.tenant !== key.tenant) return null;
        const made = await write(tx, key);
        await tx.updateTable('api_invites').set({ claimed_by: key.id }).where('hash', '=', hash).execute();
        return made;
      }),
    close,
  };
};

const rowOf = (db: Db, id: string) => db.selectFrom('api_keys').selectAll().where('id', '=', id);
const read = async (db: Db, id: string): Promise<ApiKey | null> => {
  const found = await rowOf(db, id).executeTakeFirst();
  return found ? keyOf(found) : null;
};
const need = async (db: Db, id: string): Promise<ApiKey> => {
  const found = await read(db, id);
  if (found) return found;
  throw unknownKey(id);
};
/** Nobody else changes it until this change is done. */
const held = async (db: Db, id: string): Promise<ApiKey> => {
  const found = await rowOf(db, id).forUpdate().executeTakeFirst();
  if (found) return keyOf(found);
  throw unknownKey(id);
};

const write = async (db: Db, { id, name, tenant, role, hash, createdAt, expiresAt }: NewKey): Promise<ApiKey> => {
  const row = { id, name, tenant, role, hash, created_at: createdAt, expires_at: expiresAt };
  const empty = { previous_hash: null, last_used_at: null, rotated_at: null, grace_until: null, revoked_at: null };
  await db
    .insertInto('api_keys')
    .values({ ...row, ...empty })
    .execute();
  return need(db, id);
};

const openInvite = (db: Db, hash: string, at: string) =>
  db
    .selectFrom('api_invites')
    .select('tenant')
    .where('hash', '=', hash)
    .where('claimed_by', 'is', null)
    .where('created_at', '<=', at)
    .where('expires_at', '>', at);

const markOf = async (db: Db): Promise<string | null> =>
  (await db.selectFrom('api_secret').select('mark').executeTakeFirst())?.mark ?? null;

const otherSecret = (place: string): PawlError =>
  new PawlError('SetupFailed', `The API keys in ${place} were made under another secret than the one of this home`, {
    hint: 'Copy .pawl/keys/access.key from a home that shares the store, and start again what runs here.',
  });
