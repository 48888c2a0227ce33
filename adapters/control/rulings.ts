/**
 * What was decided about a use of a right: the nonce that it spends, the first answer to it, and the row that tells of it.
 *
 * 1. They are one transaction: what is in the ledger was answered, and what was answered is in the ledger.
 * 2. A use gets its first answer for ever, whatever has changed meanwhile.
 * 3. Two uses of one nonce: exactly one spends it.
 */
import { z } from 'zod';
import { tokenClaims } from '../keys/token.ts';
import { digestOf, type GivenAnswer } from './answers.ts';
import type { Change, Draft } from './draft.ts';
import { noteRow } from './ledger.ts';
import type { Ruled, RuledUse, Ruling, Spending } from './port.ts';
import { nothing } from './rows.ts';

/** An expired token is refused by its date, so its nonce may go; a day is room for clocks that disagree. */
const GRACE_MS = 86_400_000;
/** What expired before this may be forgotten. */
export const forgetBefore = (at: string): string => new Date(Date.parse(at) - GRACE_MS).toISOString();

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

const isMine = (draft: Draft, { nonce, expiresAt }: Spending, key: string): boolean => {
  const spender = draft.spender();
  if (spender !== null) return spender === key;
  draft.effects.spent = { nonce, key, expiresAt: new Date(expiresAt).toISOString() };
  return true;
};

const onceKey = ({ rowOnce }: Ruled): string[] => (rowOnce === undefined ? [] : [`row/${rowOnce}`]);

const tell = (draft: Draft, ruled: Ruled, key: string): void => {
  const append = () => {
    draft.append(noteRow({ ...ruled.row, key }));
    return null;
  };
  const [told] = onceKey(ruled);
  if (told === undefined) append();
  else draft.once('row', { key: told }, nothing, append);
};

/** null: the answer is to something else, or there is none. */
export const rulingOf = (use: RuledUse, given: GivenAnswer | null): Ruling | null =>
  given?.asked === digestOf(KIND, use) ? ruling.parse(JSON.parse(given.answer)) : null;

export const rule = (use: RuledUse, first: Ruled, spending?: Spending): Change<Ruling> => ({
  needs: {
    answers: [use.key, ...onceKey(first), ...(spending ? onceKey(spending.otherwise) : [])],
    ...(spending && { nonce: spending.nonce }),
  },
  decide: (draft) =>
    draft.once(KIND, use, ruling, () => {
      const ruled = spending === undefined || isMine(draft, spending, use.key) ? first : spending.otherwise;
      tell(draft, ruled, use.key);
      return ruled.ruling;
    }),
});
