/** What the log on PostgreSQL tells of experiments (experiments.ts tells it of SQLite). */
import { sql } from 'kysely';
import type { PostgresDatabase } from '../postgres/database.ts';
import type { QueryLog } from './port.ts';
import type { MetricsTables } from './postgres-schema.ts';
import { exposedOf, subjectAnswerOf } from './rows.ts';

/** What somebody was shown, of one variant. */
const OWN = sql`mirrored = 0 AND of_answer IS NULL AND teams IS NULL`;

export const experimentStatements = (
  attempt: PostgresDatabase<MetricsTables>['attempt'],
): Pick<QueryLog, 'exposures' | 'ofSubject' | 'answeredBy' | 'unnamed' | 'subjects'> => ({
  exposures: ({ service, experiment, variants: [one, other], after: { at, subject }, to, limit }) =>
    attempt(async (db) => {
      const { rows } = await sql`
        SELECT subject, variant, at, phase FROM exposures e
        WHERE service = ${service} AND experiment = ${experiment} AND variant IN (${one}, ${other})
          AND (at, subject) > (${at}, ${subject}) AND at < ${to}
          AND NOT EXISTS (
            SELECT 1 FROM exposures o
            WHERE o.service = e.service AND o.experiment = e.experiment AND o.subject = e.subject
              AND o.variant IN (${one}, ${other}) AND (o.at, o.variant) < (e.at, e.variant))
        ORDER BY at, subject LIMIT ${limit}`.execute(db);
      return rows.map(exposedOf);
    }),
  // What was told of an answer after the window is no part of it: looked at later, it would read otherwise.
  ofSubject: ({ service, subject, from, to, limit }) =>
    attempt(async (db) => {
      const { rows } = await sql`
        SELECT at, query, ranked, latency_ms, error, cost, tenant,
          (EXISTS (SELECT 1 FROM feedback f WHERE f.answer = q.answer AND f.kind = 'click' AND f.at < ${to}))::integer
            AS clicked
        FROM queries q
        WHERE subject = ${subject} AND service = ${service} AND at >= ${from} AND at < ${to} AND ${OWN}
        ORDER BY at, n LIMIT ${limit}`.execute(db);
      return rows.map(subjectAnswerOf);
    }),
  answeredBy: ({ service, subject, experiment, variant, from, to }) =>
    attempt(async (db) => {
      const { rows } = await sql`
        SELECT 1 FROM queries
        WHERE subject = ${subject} AND service = ${service} AND at >= ${from} AND at < ${to}
          AND experiment = ${experiment} AND variant = ${variant} AND ${OWN} LIMIT 1`.execute(db);
      return rows.length > 0;
    }),
  unnamed: ({ service, experiment, from, to }) =>
    attempt(async (db) => {
      const { rows } = await sql<{ n: number }>`
        SELECT count(*) AS n FROM queries
        WHERE service = ${service} AND experiment = ${experiment} AND at >= ${from} AND at < ${to}
          AND subject IS NULL AND of_answer IS NULL`.execute(db);
      return rows[0]?.n ?? 0;
    }),
  subjects: ({ service, from, to, most }) =>
    attempt(async (db) => {
      const whose = sql`FROM queries WHERE subject IS NOT NULL AND service = ${service} AND at >= ${from} AND at < ${to}`;
      const counted = await sql<{ n: number }>`SELECT count(DISTINCT subject) AS n ${whose}`.execute(db);
      const some = await sql<{ subject: string }>`
        SELECT DISTINCT subject ${whose} ORDER BY subject LIMIT ${most}`.execute(db);
      return { count: counted.rows[0]?.n ?? 0, some: some.rows.map(({ subject }) => subject) };
    }),
});
