/**
 * The query log's statements on PostgreSQL.
 *
 * Gateways write at the same time, and take no turns: rows of the log do not depend on each other. Where two expose one
 * subject at once, the one that is committed first does; they go through subjects in one order, so that neither waits for
 * the other in a circle.
 */
import { type Kysely, sql } from 'kysely';
import { postgresAddress } from '../postgres/address.ts';
import { batches } from '../postgres/batches.ts';
import { openPostgres } from '../postgres/database.ts';
import type { QueryLog } from './port.ts';
import type { SubjectMark } from './postgres.ts';
import { experimentStatements } from './postgres-experiments.ts';
import { METRICS_PART, type MetricsTables } from './postgres-schema.ts';
import { columnsOf, type ExposureColumns, exposureOf, type ServedColumns, servedOf } from './rows.ts';

/** Rows that one transaction of prune removes, so that nobody who tells something about them waits long. */
const PRUNE_BATCH = 5_000;
/** A look at a long window reads for a while. */
const SILENCE_MS = 60_000;

type Db = Kysely<MetricsTables>;

export const postgresLogStatements = (address: string, mark: SubjectMark): QueryLog => {
  const { attempt, transaction, close } = openPostgres<MetricsTables>({
    ...{ address, ...METRICS_PART, turn: null, silenceMs: SILENCE_MS, connections: 4 },
  });

  let compared = false;
  return {
    append: async (served) => {
      const rows = served.map(columnsOf);
      if (rows.length === 0) return;
      const toCompare = compared || rows.every(({ subject }) => subject === null) ? null : mark();
      const same = await transaction(async (tx) => {
        await write(tx, rows);
        return toCompare === null || (await isMark(tx, toCompare));
      });
      if (toCompare === null) return;
      compared = true;
      if (!same) process.emitWarning(otherSecret(address), 'PawlWarning');
    },
    read: ({ service, from, to, variant, mirrored = false, limit }) =>
      attempt(async (db) => {
        const found = db
          .selectFrom('queries')
          .selectAll()
          .where('service', '=', service)
          .where('at', '>=', from)
          .where('at', '<', to)
          .where('mirrored', '=', mirrored ? 1 : 0)
          .$if(variant === undefined && !mirrored, (some) => some.where('of_answer', 'is', null))
          .$if(variant !== undefined, (some) => some.where('variant', '=', variant ?? '').where('teams', 'is', null))
          .$if(limit !== undefined, (some) => some.limit(limit ?? 0));
        const newest = await found.orderBy('at', 'desc').orderBy('n', 'desc').execute();
        return newest.reverse().map(({ n: _, ...row }) => servedOf(row));
      }),
    count: ({ service, from, to, variant, mirrored = false }) =>
      attempt(async (db) => {
        const found = db
          .selectFrom('queries')
          .select(({ fn }) => fn.countAll<number>().as('n'))
          .where('service', '=', service)
          .where('at', '>=', from)
          .where('at', '<', to)
          .where('variant', '=', variant)
          .where('mirrored', '=', mirrored ? 1 : 0);
        return (await found.where('teams', 'is', null).executeTakeFirstOrThrow()).n;
      }),
    prune: async (before) => {
      for (let removed = 0; ; ) {
        const count = await transaction((tx) => removeOldest(tx, before));
        removed += count;
        if (count < PRUNE_BATCH) return removed;
      }
    },
    ...experimentStatements(attempt),
    close,
  };
};

/** The first who writes says which secret it is. Another one is told of and stops nobody: the log is what rollbacks see by. */
const isMark = async (db: Db, mark: string): Promise<boolean> => {
  const insert = db.insertInto('subject_secret').values({ id: 1, mark });
  await insert.onConflict((conflict) => conflict.doNothing()).execute();
  return (await db.selectFrom('subject_secret').select('mark').executeTakeFirst())?.mark === mark;
};
const otherSecret = (address: string): string =>
  `Subjects in ${postgresAddress(address).place} are named under another secret than here: one person counts as two. Copy .pawl/keys/subjects.key from a home that shares the store, and start again what runs here.`;

/** Whoever offers a batch again after a failure may not know that it was taken. */
const write = async (db: Db, rows: readonly ServedColumns[]): Promise<void> => {
  for (const some of batches(rows)) {
    const insert = db.insertInto('queries').values(some);
    await insert.onConflict((conflict) => conflict.column('answer').doNothing()).execute();
  }
  const exposed = rows.map(exposureOf).filter((row) => row !== null);
  for (const some of batches(exposed.sort(bySubject))) {
    const insert = db.insertInto('exposures').values(some);
    await insert.onConflict((conflict) => conflict.doNothing()).execute();
  }
};

/** Those of one subject and variant stay in their order: the first of them counts. */
const bySubject = (a: ExposureColumns, b: ExposureColumns): number => {
  const [one, other] = [a, b].map(({ service, experiment, subject, variant }) =>
    [service, experiment, subject, variant].join('\n'),
  ) as [string, string];
  return one < other ? -1 : Number(one > other);
};

/** Several gateways prune: what one has begun with, the others leave to it. */
const removeOldest = async (db: Db, before: number): Promise<number> => {
  const { numAffectedRows } = await sql`
    DELETE FROM queries WHERE n IN (
      SELECT n FROM queries WHERE at < ${before} ORDER BY at, n LIMIT ${PRUNE_BATCH} FOR UPDATE SKIP LOCKED)`.execute(
    db,
  );
  return Number(numAffectedRows ?? 0);
};
