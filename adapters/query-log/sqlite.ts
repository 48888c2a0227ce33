import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { openDatabase } from '../sqlite/database.ts';
import { EXPOSE, experimentReads } from './experiments.ts';
import type { QueryLog, ServedQuery } from './port.ts';
import { METRICS_MIGRATIONS } from './schema.ts';

/** Rows that one transaction of prune removes, so that nobody waits long for their turn to write. */
const PRUNE_BATCH = 5_000;

const json = z.string().transform((text): unknown => JSON.parse(text));
const optional = z
  .string()
  .nullable()
  .transform((text) => text ?? undefined);
const row = z
  .object({
    at: z.number(),
    service: z.string(),
    variant: z.string(),
    query: z.string(),
    ranked: json.pipe(z.array(z.string())),
    latency_ms: z.number(),
    error: z.string().nullable(),
    cost: z.number(),
    subject: optional,
    answer: optional,
    tenant: optional,
    experiment: optional,
    teams: json.pipe(z.record(z.string(), z.array(z.string()))).nullable(),
    of_answer: optional,
    mirrored: z.number(),
    phase: z.number().nullable(),
  })
  .transform(
    ({ latency_ms, subject, answer, tenant, experiment, teams, of_answer, mirrored, phase, ...rest }): ServedQuery => ({
      ...rest,
      latencyMs: latency_ms,
      ...(subject !== undefined && { subject }),
      ...(answer !== undefined && { answer }),
      ...(tenant !== undefined && { tenant }),
      ...(experiment !== undefined && { experiment }),
      ...(teams !== null && { teams }),
      ...(of_answer !== undefined && { of: of_answer }),
      ...(mirrored !== 0 && { mirrored: true }),
      ...(phase !== null && { phase }),
    }),
  );
const COLUMNS =
  'at, service, variant, query, ranked, latency_ms, error, cost, subject, answer, tenant, experiment, teams, of_answer, mirrored, phase';

/** The gateway would rather try again later than keep its requests waiting. */
const BUSY_MS = 50;

export const sqliteQueryLog = (path: string): QueryLog => {
  const options = { path, migrations: METRICS_MIGRATIONS, synchronous: 'NORMAL', busyMs: BUSY_MS } as const;
  const database = openDatabase(options);
  const { db, attempt, transaction, close } = database;
  // Whoever offers a batch again after a failure may not know that it was taken.
  const insert = db.prepare(
    `INSERT INTO queries (${COLUMNS}) VALUES (${COLUMNS.replaceAll(/\w+/g, '?')}) ON CONFLICT (answer) DO NOTHING`,
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
      const odd = rows.find(({ at, latencyMs, cost }) => ![at, latencyMs, cost].every(Number.isFinite));
      if (odd)
        throw new PawlError('Usage', `A served query has no finite time, latency or cost: ${JSON.stringify(odd)}`);
      transaction(() => {
        for (const one of rows) {
          const { at, service, variant, query, ranked, latencyMs, error, cost } = one;
          const { subject = null, answer = null, tenant = null, experiment = null, teams, of = null, mirrored } = one;
          const { phase = null } = one;
          const measured = [at, service, variant, query, JSON.stringify(ranked), latencyMs, error, cost];
          const mixed = teams ? JSON.stringify(teams) : null;
          insert.run(...measured, subject, answer, tenant, experiment, mixed, of, mirrored ? 1 : 0, phase);
          const enrols = subject !== null && experiment !== null && answer !== null && phase !== null;
          if (enrols && !mixed && of === null && !mirrored)
            expose.run(service, experiment, subject, variant, at, phase, answer);
        }
      });
    },
    read: async ({ service, from, to, variant = null, mirrored = false, limit = -1 }) =>
      attempt(() => select.all({ service, from, to, variant, mirrored: mirrored ? 1 : 0, limit }))
        .reverse()
        .map((found) => row.parse(found)),
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
