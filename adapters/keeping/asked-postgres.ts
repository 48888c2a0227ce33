import { setTimeout as pause } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { PawlError } from '../../contracts/failures.ts';
import { openPostgres } from '../postgres/database.ts';
import { METRICS_PART, type MetricsTables } from '../query-log/postgres-schema.ts';
import { type Asked, type AskedLog, isWanted, type Wanted } from './asked.ts';

/** Rows of one look; what is looked at stands in memory. */
const PAGE = 5_000;
/** Tables are written anew for as long as it takes. */
const SILENCE_MS = 600_000;
const PATIENCE_MS = 30_000;

const COLUMN = { queries: 'n', judgements: 'seq' } as const;

/**
 * In the store that homes share. The tables are written anew afterwards, so that no page of them holds the bytes of what was
 * removed; the server's own write-ahead log, its standbys' and backups are not reached.
 */
export const askedInPostgres = (address: string): AskedLog => {
  const { attempt, transaction, close } = openPostgres<MetricsTables>({
    ...{ address, ...METRICS_PART, turn: null, silenceMs: SILENCE_MS, connections: 2 },
  });
  const rewrite = () =>
    attempt(async (db) => {
      for (const table of ['exposures', 'feedback', 'judgements', 'queries'])
        await sql`VACUUM (FULL, ANALYZE) ${sql.table(table)}`.execute(db);
    });
  return {
    find: (wanted) =>
      attempt(async (db) => [...(await askedIn(db, 'queries', wanted)), ...(await askedIn(db, 'judgements', wanted))]),
    remove: (rows) =>
      transaction(async (tx) => {
        let removed = 0;
        for (const [table, some] of Map.groupBy(rows, (row) => row.table)) {
          const ids = some.map(({ rowid }) => rowid);
          const { numAffectedRows } = await sql`
            DELETE FROM ${sql.table(table)} WHERE ${sql.ref(COLUMN[table])} = any(${ids})`.execute(tx);
          removed += Number(numAffectedRows ?? 0);
        }
        return removed;
      }),
    scrub: async () => {
      for (const until = Date.now() + PATIENCE_MS; ; await pause(100)) {
        try {
          return await rewrite();
        } catch (error) {
          if (!(error instanceof PawlError) || error.type !== 'StoreBusy' || Date.now() > until) throw error;
        }
      }
    },
    close,
  };
};

const askedIn = async (db: Kysely<MetricsTables>, table: Asked['table'], wanted: Wanted): Promise<Asked[]> => {
  const id = sql.ref(COLUMN[table]);
  if (wanted.by === 'subject') {
    const { rows } = await sql<{ rowid: number; query: string }>`
      SELECT ${id} AS rowid, query FROM ${sql.table(table)} WHERE subject = ${wanted.hash}`.execute(db);
    return rows.map((row) => ({ table, ...row }));
  }
  const isIt = isWanted(wanted);
  const found: Asked[] = [];
  for (let after = 0; ; ) {
    const { rows } = await sql<{ rowid: number; query: string }>`
      SELECT ${id} AS rowid, query FROM ${sql.table(table)} WHERE ${id} > ${after} ORDER BY ${id} LIMIT ${PAGE}`.execute(
      db,
    );
    found.push(...rows.filter(({ query }) => isIt(query)).map((row) => ({ table, ...row })));
    const last = rows.at(-1);
    if (last === undefined) return found;
    after = last.rowid;
  }
};
