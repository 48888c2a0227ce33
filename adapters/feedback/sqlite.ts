/**
 * Feedback in SQLite, beside the served queries that it is about.
 *
 * What comes in the same turn of the event loop is written in one transaction: the disk is waited for once, and nobody is
 * answered before it has answered.
 */
import type { FeedbackOutcome } from '../../contracts/feedback.ts';
import { METRICS_MIGRATIONS } from '../query-log/schema.ts';
import { type Database, openDatabase } from '../sqlite/database.ts';
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

/** The caller is told to come again, rather than keeping everybody's requests waiting. */
const BUSY_MS = 50;

interface Waiting {
  readonly telling: Telling;
  resolve(outcomes: readonly FeedbackOutcome[]): void;
  reject(error: unknown): void;
}

export const sqliteFeedback = (path: string): FeedbackStore => {
  const database = openDatabase({ path, migrations: METRICS_MIGRATIONS, synchronous: 'FULL', busyMs: BUSY_MS });
  const { db, attempt, transaction, close } = database;
  const held = heldIn(db);
  const received = db.prepare(RECEIVED);
  const judgements = db.prepare(JUDGEMENTS);

  let waiting: Waiting[] = [];
  const commit = (): void => {
    const batches = waiting;
    waiting = [];
    if (batches.length === 0) return;
    try {
      const outcomes = transaction(() => batches.map(({ telling }) => take(held, telling)));
      for (const [at, batch] of batches.entries()) batch.resolve(outcomes[at] ?? []);
    } catch (error) {
      for (const batch of batches) batch.reject(error);
    }
  };

  return {
    add: async (told) => {
      const telling = tellingOf(told);
      return new Promise((resolve, reject) => {
        if (waiting.push({ telling, resolve, reject }) === 1) setImmediate(commit);
      });
    },
    received: async ({ service, from, to, tenant = null, variant = null, limit = -1 }) =>
      receivedOf(attempt(() => received.all({ service, from, to, tenant, variant, limit }))),
    judgements: async ({ service, from, to, tenant = null, limit = -1 }) =>
      attempt(() => judgements.all({ service, from, to, tenant, limit }))
        .reverse()
        .map(judgementOf),
    close: () => {
      commit();
      close();
    },
  };
};

const heldIn = (db: Database['db']): Held => {
  const answer = db.prepare('SELECT at, tenant, ranked FROM queries WHERE answer = ?');
  return {
    events: table(db, 'feedback', 'at, tenant, key, kind, answer, body'),
    judgements: table(db, 'judgements', 'at, tenant, key, service, query, document, grade, given_by, subject, body'),
    known: (id) => {
      const found = answer.get(id);
      return found === undefined ? null : answerOf(found);
    },
  };
};

const table = <Row extends EventColumns | JudgementColumns>(
  db: Database['db'],
  name: string,
  columns: string,
): Told<Row> => {
  const find = db.prepare(`SELECT body FROM ${name} WHERE tenant = ? AND key = ?`);
  const add = db.prepare(`INSERT INTO ${name} (${columns}) VALUES (${columns.replaceAll(/\w+/g, ':$&')})`);
  return {
    said: (tenant, key) => find.get(tenant, key)?.body,
    insert: (row) => {
      add.run(row);
    },
  };
};

const RECEIVED = `
  WITH told AS (
    SELECT q.rowid AS row, * FROM queries q
    WHERE service = :service AND at >= :from AND at < :to
      AND (:variant IS NULL OR variant = :variant)
      AND (:tenant IS NULL OR coalesce(tenant, 'default') = :tenant)
      AND EXISTS (SELECT 1 FROM feedback f WHERE f.answer = q.answer)
    ORDER BY at DESC, row DESC LIMIT :limit)
  SELECT t.answer, t.at, t.tenant, t.service, t.variant, t.experiment, t.query, t.ranked, t.teams, f.body
  FROM told t JOIN feedback f ON f.answer = t.answer
  ORDER BY t.at, t.row, f.seq`;

const JUDGEMENTS = `
  SELECT at, tenant, query, document, grade, given_by FROM (
    SELECT *, row_number() OVER (
      PARTITION BY tenant, given_by, subject, query, document ORDER BY seq DESC) AS newness
    FROM judgements
    WHERE service = :service AND at >= :from AND at < :to AND (:tenant IS NULL OR tenant = :tenant))
  WHERE newness = 1 ORDER BY at DESC, seq DESC LIMIT :limit`;
