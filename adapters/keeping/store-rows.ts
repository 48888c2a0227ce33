/**
 * Rows of the store that have done their work.
 *
 * An answer may only go when nobody can repeat its key: a repetition would then do the work again. An activity is
 * repeated for as long as its workflow waits for it, and a workflow can be reset for as long as Temporal keeps it
 * (a day on the dev server). Workers that run settle both within minutes; workers that stand still settle nothing,
 * however much time goes by. So the age of an answer is not counted from now, but from the last row that a cycle or a
 * guardian wrote: the last proof that the workers ran. Thirty days of that are far beyond any retention that is usual.
 */
import type { Database } from '../sqlite/database.ts';

export const ANSWERS_KEPT_MS = 30 * 86_400_000;
/** An expired token is refused by its date; a day is room for clocks that disagree. */
const NONCE_GRACE_MS = 86_400_000;
/** So few at once that nobody waits long for their turn to write. */
const BATCH = 2_000;

export interface OldRows {
  readonly answers: number;
  readonly nonces: number;
}

interface Limits {
  readonly now: number;
  /** Nothing that a cycle did which has not ended. */
  readonly openSince: number | null;
}

const TABLES = {
  answers: "answers WHERE at <> '' AND at < ?",
  nonces: 'nonces WHERE expires_at < ?',
} as const;

export const oldRows = ({ db, attempt }: Database, limits: Limits): OldRows =>
  attempt(() => {
    const before = cutoffs(db, limits);
    const count = (table: keyof OldRows): number =>
      Number(db.prepare(`SELECT count(*) AS n FROM ${TABLES[table]}`).get(before[table])?.n);
    return { answers: count('answers'), nonces: count('nonces') };
  });

export const removeOldRows = ({ db, attempt, transaction }: Database, limits: Limits): OldRows => {
  const before = attempt(() => cutoffs(db, limits));
  const remove = (table: keyof OldRows): number => {
    const batch = db.prepare(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${TABLES[table]} LIMIT ${BATCH})`);
    for (let removed = 0; ; ) {
      const changes = transaction(() => Number(batch.run(before[table]).changes));
      removed += changes;
      if (changes < BATCH) return removed;
    }
  };
  return { answers: remove('answers'), nonces: remove('nonces') };
};

const cutoffs = (db: Database['db'], { now, openSince }: Limits): Record<keyof OldRows, string> => {
  const last = db.prepare("SELECT max(at) AS at FROM ledger WHERE actor ->> 'kind' IN ('cycle', 'guardian')").get()?.at;
  const workedAt = typeof last === 'string' ? Date.parse(last) : 0;
  const answers = Math.min(now - ANSWERS_KEPT_MS, workedAt - ANSWERS_KEPT_MS, openSince ?? Number.POSITIVE_INFINITY);
  return { answers: iso(answers), nonces: iso(now - NONCE_GRACE_MS) };
};

const iso = (ms: number): string => new Date(Math.max(0, ms)).toISOString();
