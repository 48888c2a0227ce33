import type { KeyObject } from 'node:crypto';
import type { LedgerEntry } from '../../contracts/control.ts';
import { PawlError } from '../../contracts/failures.ts';
import { FLEET } from '../../contracts/ids.ts';
import type { LedgerHead } from '../../contracts/ledger.ts';
import type { LedgerKey } from '../keys/ledger-key.ts';
import { signedCheckpoint, vkeyOf } from '../ledger/signed-note.ts';
import { type ChainEnd, type ChainHead, chained, type HashedRow, type NewRow, rootOfHead } from './chain.ts';
import type { LedgerFilter } from './port.ts';

export interface Seal {
  /** The head with the store's signature. */
  signed(head: ChainHead): ChainHead;
  /** The rows of a change as they are written, and the signed head after them. */
  sealed(end: ChainEnd, rows: readonly NewRow[], at: string): { rows: readonly HashedRow[]; head: ChainHead };
}

interface Signer {
  readonly privateKey: KeyObject;
  readonly vkey: string;
}

/**
 * A store that several homes share has one key, which each of them must hold: who holds another leaves the head unsigned.
 * Otherwise two homes would tell at every change that the key of the other is gone.
 */
export const createSeal = (key: LedgerKey, shared = false): Seal => {
  let signer: Signer | null = null;

  /** The key of the head, where the file holds it; otherwise whatever the file holds now. */
  const signerOf = ({ origin, vkey }: ChainHead): Signer | null => {
    if (signer === null || signer.vkey !== vkey) {
      const privateKey = key.read(!shared || vkey === '');
      signer = privateKey && { privateKey, vkey: vkeyOf(origin, privateKey) };
    }
    return shared && vkey !== '' && signer?.vkey !== vkey ? null : signer;
  };
  const signed = (head: ChainHead): ChainHead => {
    const by = signerOf(head);
    const checkpoint = signedCheckpoint({ ...head, root: rootOfHead(head) }, by);
    return { ...head, vkey: by?.vkey ?? head.vkey, checkpoint };
  };
  /** Another key than before is told in the ledger itself: it was lost, or somebody put another one in its place. */
  const keyChange = (head: ChainHead): NewRow[] => {
    const by = signerOf(head);
    if (head.vkey === '' || by === null || by.vkey === head.vkey) return [];
    const body = { before: head.vkey, after: by.vkey };
    const reason = 'the key that signed the heads before is not there any more';
    const actor = { kind: 'store', name: 'ledger' };
    return [{ service: FLEET, cycle: null, kind: 'ledger key changed', actor, reason, body }];
  };

  return {
    signed,
    sealed: (from, given, at) => {
      const rows: HashedRow[] = [];
      let end = from;
      for (const one of [...keyChange(from.head), ...given]) {
        const added = chained(end, one, at);
        rows.push(added.row);
        end = added.end;
      }
      return { rows, head: signed(end.head) };
    },
  };
};

/** A filter with nothing in it that was not asked for. */
export interface LedgerQuery {
  readonly wanted: Readonly<Partial<Record<'service' | 'cycle' | 'kind' | 'since' | 'until', string>>>;
  readonly afterSeq: number;
  readonly limit: number | null;
  /** The limit counts from the newest row on. */
  readonly newest: boolean;
}

export const ledgerQuery = ({ afterSeq = 0, limit, last, ...filter }: LedgerFilter): LedgerQuery => {
  for (const [name, count] of Object.entries({ limit, last })) {
    if (count === undefined || (Number.isSafeInteger(count) && count >= 0)) continue;
    throw new PawlError('Usage', `The ledger's ${name} must be a whole number from 0 on, but is ${count}`);
  }
  const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== null);
  return { wanted: Object.fromEntries(given), afterSeq, limit: last ?? limit ?? null, newest: last !== undefined };
};

export const ledgerHead = (head: ChainHead): LedgerHead => ({
  size: head.size,
  root: rootOfHead(head),
  checkpoint: head.checkpoint,
});

/** A note as the ledger holds it: the key is part of what is told, so that a reader can join row and workflow step. */
export const noteRow = ({ key, body, ...entry }: LedgerEntry): NewRow => ({ ...entry, body: { ...body, key } });
