import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Database } from '../sqlite/database.ts';

/** Does the work once for a key, and gives every repetition the first answer. */
export type Once = <A>(kind: string, order: { readonly key: string }, answer: z.ZodType<A>, work: () => A) => A;

export interface Answers {
  /** In a transaction of its own. */
  readonly once: Once;
  /** Inside a transaction, with other work. */
  readonly onceWithin: Once;
}

export const createAnswers = ({ db, transaction }: Database, now: () => number): Answers => {
  const find = db.prepare('SELECT asked, answer FROM answers WHERE key = ?');
  const insert = db.prepare('INSERT INTO answers (key, asked, answer, at) VALUES (?, ?, ?, ?)');

  const onceWithin: Once = (kind, order, answer, work) => {
    if (order.key === '') throw new PawlError('Usage', `A ${kind} needs a key that is not empty`);
    const asked = digestOf(kind, order);
    const first = find.get(order.key);
    if (first?.asked === asked) return answer.parse(JSON.parse(String(first.answer)));
    if (first) {
      throw new PawlError('Usage', `The key ${JSON.stringify(order.key)} was already used for something else`, {
        hint: 'Nothing was changed. A key belongs to one order: repeat that order as it was, or take a new key.',
      });
    }
    const given = work();
    insert.run(order.key, asked, JSON.stringify(given), new Date(now()).toISOString());
    return given;
  };
  return { onceWithin, once: (...order) => transaction(() => onceWithin(...order)) };
};

export const digestOf = (kind: string, order: { readonly key: string }): string => {
  try {
    return createHash('sha256')
      .update(canonicalJson([kind, order]))
      .digest('hex');
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new PawlError('Usage', `The ${kind} of key ${JSON.stringify(order.key)} is not JSON: ${message}`, { cause });
  }
};
