/**
 * Feedback's statements on PostgreSQL, beside the served queries that it is about.
 *
 * 1. What comes while a change is on its way is written together in the next one: the disk is waited for once.
 * 2. Changes take turns over all gateways, so that of a key that comes twice at once the second is a repetition.
 * 3. An answer about which something is told is held until that is written: it cannot be forgotten in between.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { FeedbackOutcome } from '../../contracts/feedback.ts';
import { batches } from '../postgres/batches.ts';
import { openPostgres } from '../postgres/database.ts';
import { METRICS_PART, type MetricsTables } from '../query-log/postgres-schema.ts';
import type { FeedbackStore } from './port.ts';
import { answerOf, judgementOf, receivedOf } from './rows.ts';
import {
  type EventColumns,
  type Held,
  type JudgementColumns,
  type Telling,
  type Told,
  take,
  tellingOf,
} from './taking.ts';

type Db = Kysely<MetricsTables>;

/** Those who tell in one change. */
const AT_ONCE = 500;

interface Waiting {
  readonly telling: Telling;
  resolve(outcomes: readonly FeedbackOutcome[]): void;
  reject(error: unknown): void;
}

export const postgresFeedbackStatements = (address: string): FeedbackStore => {
  const { attempt, transaction, close } = openPostgres<MetricsTables>({
    ...{ address, ...METRICS_PART, turn: 'feedback_turn', connections: 3 },
  });

  const waiting: Waiting[] = [];
  const commitAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const some = waiting.splice(0, AT_ONCE);
      try {
        const outcomes = await transaction((tx) =>
          takeAll(
            tx,
            some.map(({ telling }) => telling),
          ),
        );
        for (const [at, one] of some.entries()) one.resolve(outcomes[at] ?? []);
      } catch (error) {
        for (const one of some) one.reject(error);
      }
    }
  };
  let committing: Promise<void> | null = null;
  const commitSoon = (): void => {
    committing ??= commitAll().finally(() => {
      committing = null;
      if (waiting.length > 0) commitSoon();
    });
  };

  return {
    add: (told) =>
      new Promise((resolve, reject) => {
        waiting.push({ telling: tellingOf(told), resolve, reject });
        commitSoon();
      }),
    received: ({ service, from, to, tenant, variant, limit }) =>
      attempt(async (db) => {
        const { rows } = await sql`
          WITH told AS (
            SELECT * FROM queries q
            WHERE service = ${service} AND at >= ${from} AND at < ${to}
              AND ${where(variant, (name) => sql`variant = ${name}`)}
              AND ${where(tenant, (name) => sql`coalesce(tenant, 'default') = ${name}`)}
              AND EXISTS (SELECT 1 FROM feedback f WHERE f.answer = q.answer)
            ORDER BY at DESC, n DESC LIMIT ${most(limit)})
          SELECT t.answer, t.at, t.tenant, t.service, t.variant, t.experiment, t.query, t.ranked, t.teams, f.body
          FROM told t JOIN feedback f ON f.answer = t.answer
          ORDER BY t.at, t.n, f.seq`.execute(db);
        return receivedOf(rows);
      }),
    judgements: ({ service, from, to, tenant, limit }) =>
      attempt(async (db) => {
        const { rows } = await sql`
          SELECT at, tenant, query, document, grade, given_by FROM (
            SELECT *, row_number() OVER (
              PARTITION BY tenant, given_by, subject, query, document ORDER BY seq DESC) AS newness
            FROM judgements
            WHERE service = ${service} AND at >= ${from} AND at < ${to}
              AND ${where(tenant, (name) => sql`tenant = ${name}`)}) all_of_them
          WHERE newness = 1 ORDER BY at DESC, seq DESC LIMIT ${most(limit)}`.execute(db);
        return rows.reverse().map(judgementOf);
      }),
    /** What was told already is written first. */
    close: () => {
      if (committing === null) close();
      else void committing.finally(close);
    },
  };
};

const where = (value: string | undefined, is: (value: string) => RawBuilder<unknown>): RawBuilder<unknown> =>
  value === undefined ? sql`true` : is(value);
const most = (limit: number | undefined): RawBuilder<unknown> => (limit === undefined ? sql`ALL` : sql`${limit}`);

const takeAll = async (tx: Db, all: readonly Telling[]): Promise<ReadonlyArray<readonly FeedbackOutcome[]>> => {
  const events = await tableWith<EventColumns>(tx, 'feedback', all);
  const judgements = await tableWith<JudgementColumns>(tx, 'judgements', all);
  const answers = await answersOf(tx, all);
  const held: Held = { events, judgements, known: (id) => answers.get(id.toWellFormed()) ?? null };
  const outcomes = all.map((telling) => take(held, telling));
  for (const some of batches(events.added)) await tx.insertInto('feedback').values(some).execute();
  for (const some of batches(judgements.added)) await tx.insertInto('judgements').values(some).execute();
  return outcomes;
};

/** Held against being removed; one that is being removed is waited for, and is unknown then. */
const answersOf = async (tx: Db, all: readonly Telling[]) => {
  const told = all.flatMap(({ events }) => events.flatMap((event) => ('answer' in event ? [event.answer] : [])));
  const ids = [...new Set(told)].sort();
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ answer: string }>`
    SELECT answer, at, tenant, ranked FROM queries WHERE answer = any(${ids}) ORDER BY answer FOR KEY SHARE`.execute(
    tx,
  );
  return new Map(rows.map((row) => [row.answer, answerOf(row)]));
};

/** What was said under the keys that come now, and what is added to it. The database makes whole characters of halves. */
const tableWith = async <Row extends EventColumns | JudgementColumns>(
  tx: Db,
  name: 'feedback' | 'judgements',
  all: readonly Telling[],
): Promise<Told<Row> & { readonly added: readonly Row[] }> => {
  const keyOf = (tenant: string, key: string): string => `${tenant}\n${key.toWellFormed()}`;
  const said = new Map<string, string>();
  const added: Row[] = [];
  for (const [tenant, tellings] of Map.groupBy(all, (one) => one.tenant)) {
    const keys = tellings.flatMap(({ bodies }) => bodies.map(({ key }) => key));
    const { rows } = await sql<{ key: string; body: string }>`
      SELECT key, body FROM ${sql.table(name)} WHERE tenant = ${tenant} AND key = any(${keys})`.execute(tx);
    for (const { key, body } of rows) said.set(keyOf(tenant, key), body);
  }
  return {
    said: (tenant, key) => said.get(keyOf(tenant, key)),
    insert: (row) => {
      said.set(keyOf(row.tenant, row.key), row.body);
      added.push(row);
    },
    added,
  };
};
