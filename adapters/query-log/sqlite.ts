import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { openDatabase } from '../sqlite/database.ts';
import type { QueryLog, ServedQuery } from './port.ts';

/** Also for who opens the file beside the log (adapters/keeping). */
export const METRICS_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE queries (
    at         REAL NOT NULL,
    service    TEXT NOT NULL,
    variant    TEXT NOT NULL,
    query      TEXT NOT NULL,
    ranked     TEXT NOT NULL CHECK (json_valid(ranked)),
    latency_ms REAL NOT NULL,
    error      TEXT,
    cost       REAL NOT NULL
  ) STRICT;
  CREATE INDEX queries_of_service ON queries (service, at);
  CREATE INDEX queries_by_age ON queries (at);
  `,
  `
  ALTER TABLE queries ADD COLUMN subject TEXT;
  CREATE INDEX queries_of_subject ON queries (subject) WHERE subject IS NOT NULL;
  `,
];

/** Rows that one transaction of prune removes, so that nobody waits long for their turn to write. */
const PRUNE_BATCH = 5_000;

const row = z
  .object({
    at: z.number(),
    service: z.string(),
    variant: z.string(),
    query: z.string(),
    ranked: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(z.array(z.string())),
    latency_ms: z.number(),
    error: z.string().nullable(),
    cost: z.number(),
    subject: z.string().nullable(),
  })
  .transform(
    ({ latency_ms, subject, ...rest }): ServedQuery => ({
      ...rest,
      latencyMs: latency_ms,
      ...(subject === null ? {} : { subject }),
    }),
  );

/** The gateway would rather try again later than keep its requests waiting. */
const BUSY_MS = 50;

export const sqliteQueryLog = (path: string): QueryLog => {
  const options = { path, migrations: METRICS_MIGRATIONS, synchronous: 'NORMAL', busyMs: BUSY_MS } as const;
  const { db, attempt, transaction, close } = openDatabase(options);
  const insert = db.prepare(
    'INSERT INTO queries (at, service, variant, query, ranked, latency_ms, error, cost, subject) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const select = db.prepare(`
    SELECT at, service, variant, query, ranked, latency_ms, error, cost, subject FROM queries
    WHERE service = :service AND at >= :from AND at < :to AND (:variant IS NULL OR variant = :variant)
    ORDER BY at DESC, rowid DESC LIMIT :limit`);
  const remove = db.prepare(
    'DELETE FROM queries WHERE rowid IN (SELECT rowid FROM queries WHERE at < ? ORDER BY at LIMIT ?)',
  );

  return {
    append: async (rows) => {
      const odd = rows.find(({ at, latencyMs, cost }) => ![at, latencyMs, cost].every(Number.isFinite));
      if (odd)
        throw new PawlError('Usage', `A served query has no finite time, latency or cost: ${JSON.stringify(odd)}`);
      transaction(() => {
        for (const { at, service, variant, query, ranked, latencyMs, error, cost, subject = null } of rows) {
          insert.run(at, service, variant, query, JSON.stringify(ranked), latencyMs, error, cost, subject);
        }
      });
    },
    read: async ({ service, from, to, variant = null, limit = -1 }) =>
      attempt(() => select.all({ service, from, to, variant, limit }))
        .reverse()
        .map((found) => row.parse(found)),
    prune: async (before) => {
      for (let removed = 0; ; ) {
        const { changes } = transaction(() => remove.run(before, PRUNE_BATCH));
        removed += Number(changes);
        if (Number(changes) < PRUNE_BATCH) return removed;
        await setImmediate();
      }
    },
    close,
  };
};
