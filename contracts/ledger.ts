/**
 * The append-only ledger, as rows and as proofs.
 *
 * 1. The leaf of a row is the UTF-8 text of the canonical JSON of all its fields but `hash`.
 * 2. `hash` is the RFC 6962 leaf hash: SHA-256 of a zero byte and the leaf. `prev` is the hash of the row before it, so
 *    the rows are a chain; the same hashes are the leaves of the Merkle tree whose root the head names.
 * 3. The head is signed by the ledger's key in the transaction of each row.
 */
import type { Actor } from './traffic.ts';

/** `prev` of the first row. */
export const NO_ROW = '0'.repeat(64);

export interface LedgerRow {
  readonly seq: number;
  readonly at: string;
  readonly service: string;
  readonly cycle: string | null;
  readonly kind: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Hash of the row before, in hex. */
  readonly prev: string;
  readonly hash: string;
}

export interface LedgerHead {
  readonly size: number;
  /** Root of the Merkle tree over the rows' hashes, in hex. */
  readonly root: string;
  /** The same as a signed note, which anyone who has the ledger's public key can check (C2SP tlog-checkpoint). */
  readonly checkpoint: string;
}
