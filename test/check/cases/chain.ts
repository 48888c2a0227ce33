/** What the checker must find in a ledger that somebody has been at. */
import { generateKeyPairSync } from 'node:crypto';
import type { Evidence, LedgerRow } from '../../../check/evidence.ts';
import { chained, HandMadeLedger, signedHead } from '../hand-made-ledger.ts';
import type { Bad } from './bad.ts';

const home = (): Evidence => new HandMadeLedger().admitted().ends('kept').evidence();

/** The rows changed, and the head as it was. */
const withRows = (change: (rows: readonly LedgerRow[]) => readonly LedgerRow[]): Evidence => {
  const before = home();
  return { ...before, ledger: change(before.ledger) };
};
const edited = (row: LedgerRow): LedgerRow => (row.seq === 3 ? { ...row, reason: 'another reason' } : row);

export const BAD_CHAINS: readonly Bad[] = [
  ['a row is what its hash was taken of', 'a row that was edited', () => withRows((rows) => rows.map(edited))],
  [
    'a row is what its hash was taken of',
    'a row without a hash among others that have one',
    () => withRows((rows) => rows.map((row) => (row.seq === 3 ? { ...row, hash: null } : row))),
  ],
  [
    'a row follows the row before it',
    'a row that was taken out, with the numbers closed up',
    () => withRows((rows) => rows.filter(({ seq }) => seq !== 3).map((row, n) => ({ ...row, seq: n + 1 }))),
  ],
  [
    'a row follows the row before it',
    'two rows in the place of each other',
    () => withRows(([a, b, c, ...others]) => [a, c, b, ...others].filter((row) => row !== undefined)),
  ],
  [
    'a row follows the row before it',
    'rows that name no row before them',
    () => withRows((rows) => rows.map((row) => ({ ...row, prev: '0'.repeat(64) }))),
  ],
  ['the head is the root over all rows', 'an end that was cut off', () => withRows((rows) => rows.slice(0, -1))],
  [
    'the head is the root over all rows',
    'an edited row, with everything after it hashed anew',
    () => withRows((rows) => chained(rows.map(edited))),
  ],
  [
    'the head is signed by the key of the ledger',
    'a head for a forged ledger, signed with another key',
    () => {
      const forged = withRows((rows) => chained(rows.map(edited)));
      const { head } = signedHead(forged.ledger, generateKeyPairSync('ed25519'));
      return { ...forged, head: head ?? null };
    },
  ],
  [
    'the head is signed by the key of the ledger',
    'the signed head of an older ledger',
    () => {
      const later = home();
      const { head } = signedHead(later.ledger.slice(0, 3));
      return { ...later, head: { ...later.head, checkpoint: head?.checkpoint ?? '' } as Evidence['head'] } as Evidence;
    },
  ],
  [
    'the head is signed by the key of the ledger',
    'a head that nobody signed',
    () => {
      const { head, ...rest } = home();
      const checkpoint = head?.checkpoint.replace(/\n— .*\n$/, '\n') ?? '';
      return { ...rest, head: { size: 0, root: '', ...head, checkpoint } };
    },
  ],
];
