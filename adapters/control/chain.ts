/**
 * The chain of the ledger's rows and its head, as the database holds them.
 *
 * 1. The head is written in the transaction of the rows that it covers, once, after the last of them.
 * 2. A number is never given twice: rows that someone cut off leave a gap instead of being replaced.
 */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type LedgerRow, NO_ROW } from '../../contracts/ledger.ts';
import { grown, rootOf } from '../../domain/merkle.ts';
import { EMPTY_ROOT, hashOfLeaf, joined, leafOf, textsOf } from '../ledger/hashing.ts';
import { headRow, ledgerRow } from './rows.ts';

export type NewRow = Omit<LedgerRow, 'seq' | 'at' | 'prev' | 'hash'>;

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

const withLeaf = (head: ChainHead, hash: string, seq: number): ChainHead => ({
  ...head,
  seq,
  size: head.size + 1,
  last: hash,
  peaks: grown(head.peaks, head.size, hash, joined),
});

export interface Chain {
  head(): ChainHead;
  save(head: ChainHead): void;
  /** Writes the row, and answers with the head after it. */
  add(head: ChainHead, row: NewRow, at: string): ChainHead;
  hashes(): readonly string[];
}

export const createChain = (db: DatabaseSync): Chain => {
  const insert = db.prepare(`
    INSERT INTO ledger (seq, at, service, cycle, kind, actor, reason, body, prev, hash)
    VALUES (:seq, :at, :service, :cycle, :kind, :actor, :reason, :body, :prev, :hash)`);
  const find = db.prepare('SELECT * FROM ledger_head');
  const save = db.prepare(`
    INSERT OR REPLACE INTO ledger_head (id, origin, size, seq, last, root, peaks, vkey, checkpoint)
    VALUES (1, :origin, :size, :seq, :last, :root, :peaks, :vkey, :checkpoint)`);
  const newest = db.prepare('SELECT max(seq) AS seq FROM ledger');
  const hashes = db.prepare('SELECT hash FROM ledger ORDER BY seq');

  const hashesNow = () => hashes.all().map(({ hash }) => String(hash));
  const rebuilt = (): ChainHead => hashesNow().reduce((head, hash) => withLeaf(head, hash, head.seq + 1), freshHead());

  return {
    hashes: hashesNow,
    head: () => {
      // A head that someone removed or damaged must not stop a kill; its new origin shows that this happened.
      return headRow.safeParse(find.get()).data ?? rebuilt();
    },
    save: (head) => {
      save.run({ ...head, peaks: head.peaks.join(''), root: rootOfHead(head) });
    },
    add: (head, given, at) => {
      const seq = Math.max(head.seq, Number(newest.get()?.seq ?? 0)) + 1;
      const row = { ...readable(given), seq, at, prev: head.last };
      const texts = textsOf(row);
      const hash = hashOfLeaf(leafOf(row, texts));
      insert.run({ ...row, ...texts, hash });
      return withLeaf(head, hash, seq);
    },
  };
};

/**
 * A row as it will be read again; otherwise its hash would be over something that nobody can read. SQLite replaces half
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

/** Hashes the rows of a ledger from before there were hashes, in their order, and spells their JSON as it is spelled now. */
export const chainOldRows = (db: DatabaseSync): void => {
  const select = db.prepare(`SELECT * FROM ledger WHERE seq > ? ORDER BY seq LIMIT 1000`);
  const update = db.prepare('UPDATE ledger SET actor = ?, body = ?, prev = ?, hash = ? WHERE seq = ?');
  let head = freshHead();
  for (let rows = select.all(0); rows.length > 0; rows = select.all(head.seq)) {
    for (const stored of rows) {
      const row = { ...ledgerRow.parse(stored), prev: head.last };
      const texts = textsOf(row);
      const hash = hashOfLeaf(leafOf(row, texts));
      update.run(texts.actor, texts.body, row.prev, hash, row.seq);
      head = withLeaf(head, hash, row.seq);
    }
  }
  createChain(db).save(head);
};
