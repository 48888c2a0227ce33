/**
 * PostgreSQL as Pawl uses it, by several machines at once.
 *
 * 1. Changes take turns where a table is named for it: each begins by locking that table against every other writer, before
 *    it reads anything. Under READ COMMITTED each statement after that sees all changes that came before, and the order of
 *    the commits is the order of the turns. Reading never waits.
 * 2. A change is there as a whole or not at all; it is acknowledged when it is on the server's disk.
 * 3. One process makes one change at a time, so that its other connections are there for reading.
 * 4. Whoever stops in the middle of a change, frozen or cut off, loses the turn: the server ends that session.
 * 5. What PostgreSQL says when it fails comes out as a failure of the catalogue.
 * 6. The schema is brought forward in one transaction, by one process; the others wait.
 */
import { Kysely, PostgresDialect, type QueryExecutorProvider, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { PawlError } from '../../contracts/failures.ts';
import { postgresAddress } from './address.ts';
import { storeFailure, wasGivenUp } from './store-failure.ts';
import { readable, storableTexts } from './text.ts';

export interface PostgresDatabase<T> {
  /** Runs reads and translates what goes wrong. */
  attempt<R>(work: (db: Kysely<T>) => Promise<R>): Promise<R>;
  /** Runs a change. It may run again, when the server gave it up before it was done. */
  transaction<R>(work: (tx: Transaction<T>) => Promise<R>): Promise<R>;
  close(): void;
}

export interface PostgresOptions<T> {
  readonly address: string;
  /** Names these tables among those of the schema: their version is kept under it. */
  readonly part: string;
  /** Step n brings version n to n + 1. Steps that have shipped never change. */
  readonly migrations: readonly string[];
  /** Locked by every change; null: changes lock what they need by themselves. */
  readonly turn: string | null;
  /** A first change, before anything else, where it is due; otherwise opening waits for nobody. */
  readonly begin?: { due(db: Kysely<T>): Promise<boolean>; change(tx: Transaction<T>): Promise<void> };
  readonly busyMs?: number;
  readonly frozenMs?: number;
  readonly silenceMs?: number;
  /** At most, of this process and for these tables: they are made when they are needed, and a server has a hundred or so. */
  readonly connections?: number;
}

/** Shorter than the time-out of the activities that change traffic, so that they say what they waited for. */
const BUSY_MS = 1_500;
/** A handshake takes several messages and a process of the server's own. */
const CONNECT_MS = 5_000;
/** Whoever comes while another process brings the schema forward waits for it: nothing can be done before. */
const FORWARD = '60s';
/** A change takes milliseconds. Who says nothing for so long in the middle of one will not come back in time. */
const FROZEN_MS = 5_000;
/** Of reading: a server that is cut off says nothing, not even no. */
const SILENCE_MS = 30_000;
const CONNECTIONS = 10;
const TRIES = 5;
/** Behind the other changes of this process. Later than that, whoever asked has gone, or asks again. */
const PATIENCE_MS = 10_000;

const INT8 = 20;
const TEXT = 25;

/** Numbers as the port has them: one that is no safe integer is damage, and must not be rounded. */
const int8 = (value: string): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new PawlError('Unavailable', `The store holds ${value}, which is no number of Pawl`);
  return number;
};
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return int8;
    return oid === TEXT ? readable : pg.types.getTypeParser(oid, format);
  },
} as pg.CustomTypesConfig;

export const openPostgres = <T>(options: PostgresOptions<T>): PostgresDatabase<T> => {
  const { part, migrations, turn, begin, busyMs = BUSY_MS, frozenMs = FROZEN_MS } = options;
  const { silenceMs = SILENCE_MS, connections = CONNECTIONS } = options;
  const { url, schema, options: given, place } = postgresAddress(options.address);
  const settings = { search_path: schema, synchronous_commit: 'on', lock_timeout: busyMs };
  const pool = new pg.Pool({
    connectionString: url,
    options: [given, ...Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)].join(' ').trim(),
    application_name: 'pawl',
    idle_in_transaction_session_timeout: frozenMs,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: silenceMs,
    keepAlive: true,
    max: connections,
    allowExitOnIdle: true,
    types,
  });
  // A connection that breaks is noticed by whoever uses it next; without these it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<T>({ dialect: new PostgresDialect({ pool }), plugins: [storableTexts()] });

  const translated = <R>(work: () => Promise<R>): Promise<R> =>
    work().catch((error: unknown) => {
      throw storeFailure(place, error);
    });
  const changing = async <R>(work: (tx: Transaction<T>) => Promise<R>): Promise<R> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await db.transaction().setIsolationLevel('read committed').setAccessMode('read write').execute(work);
      } catch (error) {
        if (!wasGivenUp(error) || tries === TRIES) throw error;
      }
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  const takeTurn = async (tx: Transaction<T>): Promise<void> => {
    if (turn !== null) await sql`LOCK TABLE ${sql.table(turn)} IN EXCLUSIVE MODE`.execute(tx);
  };
  const inTurn = <R>(work: (tx: Transaction<T>) => Promise<R>): Promise<R> => {
    const asked = performance.now();
    const change = async (): Promise<R> => {
      if (performance.now() - asked > PATIENCE_MS) throw tooMany(place);
      return changing(async (tx) => {
        await takeTurn(tx);
        return work(tx);
      });
    };
    const mine = last.then(change);
    last = mine.catch(() => undefined);
    return mine;
  };

  const patiently = <R>(work: (tx: Transaction<T>) => Promise<R>): Promise<R> =>
    changing(async (tx) => {
      await sql`SET LOCAL lock_timeout = ${sql.lit(FORWARD)}`.execute(tx);
      return work(tx);
    });
  const forward = async (): Promise<void> => {
    if ((await versionOf(db, schema, part)) !== migrations.length) {
      await patiently(async (tx) => {
        await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`pawl/${schema}`}, 0))`.execute(tx);
        await migrate(tx, { schema, part, migrations, place });
      });
    }
    if (!begin || !(await begin.due(db))) return;
    await patiently(async (tx) => {
      await takeTurn(tx);
      await begin.change(tx);
    });
  };

  let ready: Promise<void> | null = null;
  let closed = false;
  const opened = (): Promise<void> => {
    if (closed) return Promise.reject(new PawlError('Unavailable', `The store ${place} is closed`));
    ready ??= forward().catch((error: unknown) => {
      ready = null; // The server may be there for the next one who asks.
      throw error;
    });
    return ready;
  };

  return {
    attempt: (work) => translated(() => opened().then(() => work(db))),
    transaction: (work) => translated(() => opened().then(() => inTurn(work))),
    close: () => {
      if (closed) return;
      closed = true;
      pool.end().catch(() => undefined);
    },
  };
};

/** null: there are no such tables yet. */
const versionOf = async (db: QueryExecutorProvider, schema: string, part: string): Promise<number | null> => {
  // The rows of the catalogue: to_regclass answers from a cache, which does not know what was made while this process waited.
  const tables = sql`SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relname = 'schema_version'`;
  if ((await tables.execute(db)).rows.length === 0) return null;
  const query = sql<{ version: number }>`SELECT version FROM ${sql.id(schema, 'schema_version')} WHERE part = ${part}`;
  return (await query.execute(db)).rows[0]?.version ?? null;
};

interface Forward {
  readonly schema: string;
  readonly part: string;
  readonly migrations: readonly string[];
  readonly place: string;
}

const migrate = async (tx: QueryExecutorProvider, { schema, part, migrations, place }: Forward): Promise<void> => {
  const from = (await versionOf(tx, schema, part)) ?? 0; // Another process may have been faster.
  if (from === migrations.length) return;
  if (from > migrations.length) throw newer(place, from, migrations.length);
  if (from === 0) await prepare(tx, schema, place);
  for (const step of migrations.slice(from)) await sql.raw(step).execute(tx);
  await sql`INSERT INTO schema_version (part, version) VALUES (${part}, ${migrations.length})
    ON CONFLICT (part) DO UPDATE SET version = excluded.version`.execute(tx);
};

const prepare = async (tx: QueryExecutorProvider, schema: string, place: string): Promise<void> => {
  const encoding = await sql<{ server_encoding: string }>`SHOW server_encoding`.execute(tx);
  const found = encoding.rows[0]?.server_encoding;
  if (found !== 'UTF8') {
    throw new PawlError('SetupFailed', `${place} has the encoding ${found}; Pawl needs UTF8`, {
      hint: 'Make a database of its own for Pawl: `createdb --encoding UTF8 --template template0 NAME`.',
    });
  }
  // Asked first: who may not make schemas may not even say so where one is there.
  const there = await sql`SELECT 1 FROM pg_namespace WHERE nspname = ${schema}`.execute(tx);
  if (there.rows.length === 0) await sql`CREATE SCHEMA ${sql.id(schema)}`.execute(tx);
  await sql`CREATE TABLE IF NOT EXISTS schema_version (part text PRIMARY KEY, version integer NOT NULL)`.execute(tx);
};

const newer = (place: string, found: number, known: number): PawlError =>
  new PawlError('SetupFailed', `${place} has schema version ${found}; this Pawl knows versions up to ${known}`, {
    hint: 'Use the Pawl that wrote it, or a newer one. Nothing was changed.',
  });

const tooMany = (place: string): PawlError =>
  new PawlError('StoreBusy', `${place} is slower than the changes that this process makes`, {
    hint: 'Nothing was changed; try again. If it lasts, look at how the server is doing.',
  });
