import { setImmediate } from 'node:timers/promises';
import { openDatabase } from '../sqlite/database.ts';
import { EXPOSE, experimentReads } from './experiments.ts';
import type { QueryLog } from './port.ts';
import { COLUMNS, columnsOf, exposureOf, servedOf } from './rows.ts';
import { METRICS_MIGRATIONS } from './schema.ts';

/** Rows that one transaction of prune removes, so that nobody waits long for their turn to write. */
const PRUNE_BATCH = 5_000;

/** The gateway would rather try again later than keep its requests waiting. */
const BUSY_MS = 50;

export const sqliteQueryLog = (path: string): QueryLog => {
  const options = { path, migrations: METRICS_MIGRATIONS, synchronous: 'NORMAL', busyMs: BUSY_MS } as const;
  const database = openDatabase(options);
  const { db, attempt, transaction, close } = database;
  // Whoever offers a batch again after a failure may not know that it was taken.
  const insert = db.prepare(
    `INSERT INTO queries (${COLUMNS}) VALUES (${COLUMNS.replaceAll(/\w+/g, ':$&')}) ON CONFLICT (answer) DO NOTHING`,
  );
  const expose = db.prepare(EXPOSE);
  const select = db.prepare(`
    SELECT ${COLUMNS} FROM queries
    WHERE service = :service AND at >= :from AND at < :to AND mirrored = :mirrored
      AND CASE WHEN :variant IS NULL THEN mirrored = 1 OR of_answer IS NULL ELSE variant = :variant AND teams IS NULL END
    ORDER BY at DESC, rowid DESC LIMIT :limit`);
  const count = db.prepare(`
    SELECT count(*) AS n FROM queries
    WHERE service = :service AND at >= :from AND at < :to AND mirrored = :mirrored AND variant = :variant AND teams IS NULL`);
  const remove = db.prepare(
    'DELETE FROM queries WHERE rowid IN (SELECT rowid FROM queries WHERE at < ? ORDER BY at LIMIT ?)',
  );

  return {
    append: async (rows) => {
      const all = rows.map(columnsOf);
      transaction(() => {
        for (const row of all) {
          insert.run(row);
          const exposed = exposureOf(row);
          if (exposed) expose.run(exposed);
        }
      });
    },
    read: async ({ service, from, to, variant = null, mirrored = false, limit = -1 }) =>
      attempt(() => select.all({ service, from, to, variant, mirrored: mirrored ? 1 : 0, limit }))
        .reverse()
        .map(servedOf),
    count: async ({ service, from, to, variant, mirrored = false }) =>
      attempt(() => Number(count.get({ service, from, to, variant, mirrored: mirrored ? 1 : 0 })?.n)),
    prune: async (before) => {
      for (let removed = 0; ; ) {
        const { changes } = transaction(() => remove.run(before, PRUNE_BATCH));
        removed += Number(changes);
        if (Number(changes) < PRUNE_BATCH) return removed;
        await setImmediate();
      }
    },
    ...experimentReads(database),
    close,
  };
};
