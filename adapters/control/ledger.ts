import type { KeyObject } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import type { LedgerEntry } from '../../contracts/control.ts';
import { PawlError } from '../../contracts/failures.ts';
import { FLEET } from '../../contracts/ids.ts';
import type { LedgerHead, LedgerRow } from '../../contracts/ledger.ts';
import type { LedgerKey } from '../keys/ledger-key.ts';
import { signedCheckpoint, vkeyOf } from '../ledger/signed-note.ts';
import type { Database } from '../sqlite/database.ts';
import { type ChainHead, createChain, type NewRow, rootOfHead } from './chain.ts';
import type { LedgerFilter, StoredPage } from './port.ts';
import { ledgerRow, storedRow } from './rows.ts';

export interface Ledger {
  /** Only inside the transaction of the change that the row tells of. */
  append(row: NewRow): void;
  /** Runs a change inside its transaction; the rows that it appended are in the head afterwards. */
  sealed<T>(work: () => T): T;
  read(filter: LedgerFilter): readonly LedgerRow[];
  stored(page: { afterSeq: number; limit: number }): StoredPage;
  head(): LedgerHead;
  hashes(): readonly string[];
  vkey(): string | null;
}

const FILTERS = {
  service: 'service = :service',
  cycle: 'cycle = :cycle',
  kind: 'kind = :kind',
  since: 'at >= :since',
  until: 'at <= :until',
} as const satisfies Record<keyof Omit<LedgerFilter, 'afterSeq' | 'limit' | 'last'>, string>;

interface Signer {
  readonly privateKey: KeyObject;
  readonly vkey: string;
}

export const createLedger = (database: Database, key: LedgerKey, now: () => number): Ledger => {
  const { db, attempt, transaction } = database;
  const chain = createChain(db);
  /** By what is asked for and nothing else, so that an index can find it. */
  const asked = new Map<string, StatementSync>();
  const reading = (filters: readonly string[], order: 'ASC' | 'DESC'): StatementSync => {
    const where = ['seq > :afterSeq', ...filters].join(' AND ');
    const sql = `SELECT * FROM ledger WHERE ${where} ORDER BY seq ${order} LIMIT :limit`;
    const statement = asked.get(sql) ?? db.prepare(sql);
    asked.set(sql, statement);
    return statement;
  };
  const page = db.prepare('SELECT * FROM ledger WHERE seq > :afterSeq ORDER BY seq LIMIT :limit');

  let signer: Signer | null = null;
  let open = false;
  let draft: ChainHead | null = null;

  /** The key of the head, where the file holds it; otherwise whatever the file holds now. */
  const signerOf = ({ origin, vkey }: ChainHead): Signer | null => {
    if (signer === null || signer.vkey !== vkey) {
      const privateKey = key.read();
      signer = privateKey && { privateKey, vkey: vkeyOf(origin, privateKey) };
    }
    return signer;
  };
  const signed = (head: ChainHead): ChainHead => {
    const by = signerOf(head);
    const checkpoint = signedCheckpoint({ ...head, root: rootOfHead(head) }, by);
    return { ...head, vkey: by?.vkey ?? head.vkey, checkpoint };
  };
  const add = (head: ChainHead, row: NewRow): ChainHead => chain.add(head, row, new Date(now()).toISOString());
  /** Another key than before is told in the ledger itself: it was lost, or somebody put another one in its place. */
  const begun = (): ChainHead => {
    const head = chain.head();
    const by = signerOf(head);
    if (head.vkey === '' || by === null || by.vkey === head.vkey) return head;
    const body = { before: head.vkey, after: by.vkey };
    const reason = 'the key that signed the heads before is not there any more';
    const actor = { kind: 'store', name: 'ledger' };
    return add(head, { service: FLEET, cycle: null, kind: 'ledger key changed', actor, reason, body });
  };

  // The head of an empty ledger, and of one that was just brought forward, is signed too.
  if (attempt(() => chain.head()).vkey === '') {
    transaction(() => {
      const head = chain.head();
      if (head.vkey === '') chain.save(signed(head));
    });
  }

  return {
    append: (row) => {
      if (!open) throw new Error('A row of the ledger is written in the transaction of its change');
      draft = add(draft ?? begun(), row);
    },
    sealed: (work) => {
      open = true;
      try {
        const result = work();
        if (draft) chain.save(signed(draft));
        return result;
      } finally {
        open = false;
        draft = null;
      }
    },
    read: ({ afterSeq = 0, limit, last, ...wanted }) => {
      for (const [name, count] of Object.entries({ limit, last })) {
        if (count === undefined || (Number.isSafeInteger(count) && count >= 0)) continue;
        throw new PawlError('Usage', `The ledger's ${name} must be a whole number from 0 on, but is ${count}`);
      }
      const given = Object.entries(wanted).filter(([, value]) => value !== undefined && value !== null);
      const filters = given.map(([name]) => FILTERS[name as keyof typeof FILTERS]);
      const bound = { ...Object.fromEntries(given), afterSeq, limit: last ?? limit ?? -1 }; // SQLite reads -1 as 'all'.
      const rows = attempt(() => reading(filters, last === undefined ? 'ASC' : 'DESC').all(bound));
      return (last === undefined ? rows : rows.reverse()).map((row) => ledgerRow.parse(row));
    },
    stored: (wanted) => {
      const rows = attempt(() => page.all(wanted)).map(storedRow);
      // Read after the rows, so that it covers them.
      const head = attempt(() => chain.head());
      return { rows, head: ledgerHead(head), peaks: head.peaks };
    },
    head: () => ledgerHead(attempt(() => chain.head())),
    hashes: () => attempt(() => chain.hashes()),
    vkey: () => attempt(() => chain.head()).vkey || null,
  };
};

const ledgerHead = (head: ChainHead): LedgerHead => ({
  size: head.size,
  root: rootOfHead(head),
  checkpoint: head.checkpoint,
});

/** A note as the ledger holds it: the key is part of what is told, so that a reader can join row and workflow step. */
export const noteRow = ({ key, body, ...entry }: LedgerEntry): NewRow => ({ ...entry, body: { ...body, key } });
