/**
 * Feedback in SQLite, beside the served queries that it is about.
 *
 * What comes in the same turn of the event loop is written in one transaction: the disk is waited for once, and nobody is
 * answered before it has answered.
 */
import { createHash } from 'node:crypto';
import type { FeedbackEvent, FeedbackOutcome, FeedbackRefusal, Judgement } from '../../contracts/feedback.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { type KnownAnswer, whyNotCounted } from '../../domain/feedback.ts';
import { METRICS_MIGRATIONS } from '../query-log/schema.ts';
import { type Database, openDatabase } from '../sqlite/database.ts';
import type { FeedbackStore, ToldFeedback } from './port.ts';
import { answerOf, judgementOf, receivedOf } from './rows.ts';

/** The caller is told to come again, rather than keeping everybody's requests waiting. */
const BUSY_MS = 50;

interface Waiting {
  readonly told: ToldFeedback;
  /** Of each event: its key, and all that it says. */
  readonly bodies: ReadonlyArray<{ readonly key: string; readonly body: string }>;
  resolve(outcomes: readonly FeedbackOutcome[]): void;
  reject(error: unknown): void;
}

export const sqliteFeedback = (path: string): FeedbackStore => {
  const database = openDatabase({ path, migrations: METRICS_MIGRATIONS, synchronous: 'FULL', busyMs: BUSY_MS });
  const { db, attempt, transaction, close } = database;
  const take = taker(db);
  const received = db.prepare(RECEIVED);
  const judgements = db.prepare(JUDGEMENTS);

  let waiting: Waiting[] = [];
  const commit = (): void => {
    const batches = waiting;
    waiting = [];
    if (batches.length === 0) return;
    try {
      const outcomes = transaction(() => batches.map(({ told, bodies }) => take(told, bodies)));
      for (const [at, batch] of batches.entries()) batch.resolve(outcomes[at] ?? []);
    } catch (error) {
      for (const batch of batches) batch.reject(error);
    }
  };

  return {
    add: async (told) => {
      const bodies = told.events.map((event) => bodyOf(told, event));
      return new Promise((resolve, reject) => {
        if (waiting.push({ told, bodies, resolve, reject }) === 1) setImmediate(commit);
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

/** Two givers may judge the same; an answer was given to one only. */
const bodyOf = ({ by, subject }: ToldFeedback, { key, ...event }: FeedbackEvent) => {
  const body = canonicalJson(event);
  const said = event.kind === 'judgement' ? canonicalJson({ by, subject, event }) : body;
  return { body, key: key ?? `said:${createHash('sha256').update(said).digest('hex').slice(0, 32)}` };
};

type Take = (told: ToldFeedback, bodies: Waiting['bodies']) => readonly FeedbackOutcome[];

const taker = (db: Database['db']): Take => {
  const answer = db.prepare('SELECT at, tenant, ranked FROM queries WHERE answer = ?');
  const events = table(db, 'feedback', 'at, tenant, key, kind, answer, body');
  const judged = table(db, 'judgements', 'at, tenant, key, service, query, document, grade, given_by, subject, body');
  const known = (id: string): KnownAnswer | null => {
    const found = answer.get(id);
    return found === undefined ? null : answerOf(found);
  };

  return ({ at, tenant, by, subject = null, mayJudge, events: given }, bodies) =>
    given.map((event, n): FeedbackOutcome => {
      const { key = '', body = '' } = bodies[n] ?? {};
      const { said, insert } = event.kind === 'judgement' ? judged : events;
      const before = said(tenant, key);
      if (before !== undefined) {
        return before === body ? { outcome: 'repeated', key } : { outcome: 'refused', key, reason: 'key was used' };
      }
      const reason =
        event.kind === 'judgement'
          ? whyNotJudged(event, mayJudge)
          : whyNotCounted(event, known(event.answer), { tenant, now: at });
      if (reason !== null) return { outcome: 'refused', key, reason };
      if (event.kind === 'judgement') {
        const { service = '', query, document, grade } = event;
        insert(at, tenant, key, service, query, document, grade, by, subject, body);
      } else insert(at, tenant, key, event.kind, event.answer, body);
      return { outcome: 'accepted', key };
    });
};

const whyNotJudged = ({ service }: Judgement, may: boolean): FeedbackRefusal | null => {
  if (!may) return 'may not judge';
  return service === undefined ? 'unknown service' : null;
};

type Value = string | number | null;
const table = (db: Database['db'], name: string, columns: string) => {
  const find = db.prepare(`SELECT body FROM ${name} WHERE tenant = ? AND key = ?`);
  const add = db.prepare(`INSERT INTO ${name} (${columns}) VALUES (${columns.replaceAll(/\w+/g, '?')})`);
  return {
    /** What was told under this key before. */
    said: (tenant: string, key: string): unknown => find.get(tenant, key)?.body,
    insert: (...values: readonly Value[]): void => {
      add.run(...values);
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
