/** The ledger as a chain: an edited, missing or reordered row does not fit, and the signed head says how many there are. */
import type { Evidence, Head } from './evidence.ts';
import { hashOf, NO_ROW, noteKey, openNote, rootOf } from './hashes.ts';
import { at, type Finding, notApplicable, type Rule } from './reading.ts';

const NOT_CHAINED = notApplicable('this ledger is from before its rows were chained');
const NO_HEAD = notApplicable('the store holds no head of its ledger');

const isChained = ({ ledger }: Evidence): boolean =>
  ledger.some(({ hash }) => typeof hash === 'string') || ledger.length === 0;

export const hasItsOwnHash: Rule = (evidence) => {
  if (!isChained(evidence)) return NOT_CHAINED;
  return evidence.ledger
    .filter((row) => row.hash !== hashOf(row))
    .map((row) => at(row, `row ${row.seq} is not what its hash was taken of`));
};

export const namesTheRowBefore: Rule = (evidence) => {
  if (!isChained(evidence)) return NOT_CHAINED;
  return evidence.ledger
    .filter(({ prev }, n) => prev !== (evidence.ledger[n - 1]?.hash ?? NO_ROW))
    .map((row) => at(row, `row ${row.seq} does not follow the row that stands before it`));
};

export const hasTheRootOfItsRows: Rule = (evidence) => {
  const { ledger, head } = evidence;
  if (!isChained(evidence)) return NOT_CHAINED;
  if (!head) return ledger.length === 0 ? [] : NO_HEAD;
  if (head.size !== ledger.length) {
    return ofHead(`the head speaks of ${head.size} rows, and the ledger holds ${ledger.length}`);
  }
  const root = rootOf(ledger.map(({ hash }) => hash ?? NO_ROW));
  return head.root === root ? [] : ofHead(`the head names the root ${head.root}, and the rows have ${root}`);
};

export const headIsSigned: Rule = ({ head, ledgerKey }) => {
  if (!head) return NO_HEAD;
  const found = whyNotSigned(head, ledgerKey ?? head.vkey ?? '');
  if (found !== null) return ofHead(found);
  return ledgerKey ? [] : notApplicable('there is no ledger.vkey; the key that the store names itself proves nothing');
};

const whyNotSigned = ({ size, root, checkpoint }: Head, vkey: string): string | null => {
  const key = noteKey(vkey);
  if (!key) return `${JSON.stringify(vkey)} is no Ed25519 key of a signed note`;
  const note = openNote(checkpoint, key);
  if (typeof note === 'string') return `the head's checkpoint does not hold: ${note}`;
  if (note.size === size && note.root === root) return null;
  return `the checkpoint is signed for ${note.size} rows with the root ${note.root}, not for the head's`;
};

const ofHead = (what: string): Finding[] => [{ service: '*', seq: null, what }];
