/**
 * The chain of the ledger's rows and its head.
 *
 * 1. The head is written in the transaction of the rows that it covers, once, after the last of them.
 * 2. A number is never given twice: rows that someone cut off leave a gap instead of being replaced.
 */
import { randomBytes } from 'node:crypto';
import { type LedgerRow, NO_ROW } from '../../contracts/ledger.ts';
import { grown, rootOf } from '../../domain/merkle.ts';
import { EMPTY_ROOT, hashOfLeaf, joined, leafOf, textsOf } from '../ledger/hashing.ts';
import { headRow } from './rows.ts';

export type NewRow = Omit<LedgerRow, 'seq' | 'at' | 'prev' | 'hash'>;

/** A row as a store keeps it: what is JSON is its text. */
export interface HashedRow {
  readonly seq: number;
  readonly at: string;
  readonly service: string;
  readonly cycle: string | null;
  readonly kind: string;
  readonly actor: string;
  readonly reason: string;
  readonly body: string;
  readonly prev: string;
  readonly hash: string;
}

export interface ChainHead {
  /** Names this ledger; made once. */
  readonly origin: string;
  readonly size: number;
  /** The number that was given last. */
  readonly seq: number;
  /** Hash of the last row. */
  readonly last: string;
  readonly peaks: readonly string[];
  /** Whose signature the checkpoint carries; empty before the first one. */
  readonly vkey: string;
  readonly checkpoint: string;
}

/** Where the chain goes on. */
export interface ChainEnd {
  readonly head: ChainHead;
  /** The highest number of a row that is there. */
  readonly newest: number;
}

export const rootOfHead = ({ peaks }: ChainHead): string => rootOf(peaks, joined, EMPTY_ROOT);

export const freshHead = (): ChainHead => ({
  origin: `pawl/${randomBytes(8).toString('hex')}`,
  size: 0,
  seq: 0,
  last: NO_ROW,
  peaks: [],
  vkey: '',
  checkpoint: '',
});

/** The head as a store keeps it. */
export const headColumns = (head: ChainHead) => ({ ...head, peaks: head.peaks.join(''), root: rootOfHead(head) });

/** A head that someone removed or damaged must not stop a kill: null, and one is made over the rows. */
export const readHead = (stored: unknown): ChainHead | null => headRow.safeParse(stored).data ?? null;

/** The new origin shows that the old head is gone. */
export const headOver = (hashes: readonly string[]): ChainHead =>
  hashes.reduce((head, hash) => withLeaf(head, hash, head.seq + 1), freshHead());

export const withLeaf = (head: ChainHead, hash: string, seq: number): ChainHead => ({
  ...head,
  seq,
  size: head.size + 1,
  last: hash,
  peaks: grown(head.peaks, head.size, hash, joined),
});

/** The row as it is written, and the end of the chain after it. */
export const chained = ({ head, newest }: ChainEnd, given: NewRow, at: string): { row: HashedRow; end: ChainEnd } => {
  const seq = Math.max(head.seq, newest) + 1;
  const row = { ...readable(given), seq, at, prev: head.last };
  const texts = textsOf(row);
  const hash = hashOfLeaf(leafOf(row, texts));
  return { row: { ...row, ...texts, hash }, end: { head: withLeaf(head, hash, seq), newest: seq } };
};

/**
 * A row as it will be read again; otherwise its hash would be over something that nobody can read. Databases replace half
 * characters, and what a message brought may hold more than it should, or less.
 */
const readable = ({ service, cycle, kind, actor, reason, body }: NewRow): NewRow => ({
  service: text(service),
  cycle: cycle === null ? null : text(cycle),
  kind: text(kind),
  actor: { kind: text(actor.kind), name: text(actor.name) },
  reason: text(reason),
  body,
});
const text = (value: unknown): string => String(value).toWellFormed();
