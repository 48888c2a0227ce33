/**
 * What was decided about a use of a right: the nonce that it spends, the first answer to it, and the row that tells of it.
 *
 * 1. They are one transaction: what is in the ledger was answered, and what was answered is in the ledger.
 * 2. A use gets its first answer for ever, whatever has changed meanwhile.
 * 3. Two uses of one nonce: exactly one spends it.
 */
import { z } from 'zod';
import { tokenClaims } from '../keys/token.ts';
import type { Database } from '../sqlite/database.ts';
import { digestOf, type Once } from './answers.ts';
import { type Ledger, noteRow } from './ledger.ts';
import type { Ruled, RuledUse, Ruling, Spending } from './port.ts';
import { nothing } from './rows.ts';

/** An expired token is refused by its date, so its nonce may go; a day is room for clocks that disagree. */
const GRACE_MS = 86_400_000;

const KIND = 'ruling';
const ruling = z.object({
  allowed: z.boolean(),
  because: z.string(),
  claims: tokenClaims.nullable(),
  decision: z
    .object({
      id: z.string(),
      allowed: z.boolean(),
      policies: z.array(z.string()),
      because: z.string(),
      bundle: z.string(),
    })
    .nullable(),
}) satisfies z.ZodType<Ruling>;

export const createRulings = (
  { db, attempt, transaction }: Database,
  once: Once,
  ledger: Ledger,
  now: () => number,
) => {
  const forget = db.prepare('DELETE FROM nonces WHERE expires_at < ?');
  const spender = db.prepare('SELECT key FROM nonces WHERE nonce = ?');
  const spend = db.prepare('INSERT INTO nonces (nonce, key, expires_at) VALUES (?, ?, ?)');
  const find = db.prepare('SELECT answer FROM answers WHERE key = ? AND asked = ?');

  const isMine = ({ nonce, expiresAt }: Spending, key: string): boolean => {
    const spent = spender.get(nonce);
    if (spent) return spent.key === key;
    forget.run(new Date(now() - GRACE_MS).toISOString());
    spend.run(nonce, key, new Date(expiresAt).toISOString());
    return true;
  };
  const tell = ({ row, rowOnce }: Ruled, key: string): void => {
    const append = () => {
      ledger.append(noteRow({ ...row, key }));
      return null;
    };
    if (rowOnce === undefined) append();
    else once('row', { key: `row/${rowOnce}` }, nothing, append);
  };

  return {
    find: (use: RuledUse): Ruling | null => {
      const row = attempt(() => find.get(use.key, digestOf(KIND, use)));
      return row ? ruling.parse(JSON.parse(String(row.answer))) : null;
    },
    /** `once` is the one within a transaction. */
    rule: (use: RuledUse, first: Ruled, spending?: Spending): Ruling =>
      transaction(() =>
        once(KIND, use, ruling, () => {
          const ruled = spending === undefined || isMine(spending, use.key) ? first : spending.otherwise;
          tell(ruled, use.key);
          return ruled.ruling;
        }),
      ),
  };
};
