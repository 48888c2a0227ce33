import type { LedgerEntry } from '../../contracts/control.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { LedgerRow } from '../../contracts/traffic.ts';
import type { Database } from '../sqlite/database.ts';
import { ledgerRow } from './rows.ts';

export interface Ledger {
  /** Only inside the transaction of the change that the row tells of. */
  append(row: Omit<LedgerRow, 'seq' | 'at'>): void;
  read(filter: { service?: string; cycle?: string; afterSeq?: number; limit?: number }): readonly LedgerRow[];
}

/** The service under which the rows of the whole fleet stand. */
export const FLEET = '*';

export const createLedger = ({ db, attempt }: Database, now: () => number): Ledger => {
  const insert = db.prepare(
    'INSERT INTO ledger (at, service, cycle, kind, actor, reason, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const select = db.prepare(`
    SELECT * FROM ledger
    WHERE seq > :afterSeq AND (:service IS NULL OR service = :service) AND (:cycle IS NULL OR cycle = :cycle)
    ORDER BY seq LIMIT :limit`);

  return {
    append: ({ service, cycle, kind, actor, reason, body }) => {
      const at = new Date(now()).toISOString();
      insert.run(at, service, cycle, kind, JSON.stringify(actor), reason, JSON.stringify(body));
    },
    read: ({ service = null, cycle = null, afterSeq = 0, limit }) => {
      if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
        throw new PawlError('Usage', `The ledger's limit must be a whole number from 0 on, but is ${limit}`);
      }
      const filter = { service, cycle, afterSeq, limit: limit ?? -1 }; // SQLite reads -1 as 'all'.
      return attempt(() => select.all(filter)).map((row) => ledgerRow.parse(row));
    },
  };
};

/** A note as the ledger holds it: the key is part of what is told, so that a reader can join row and workflow step. */
export const noteRow = ({ key, body, ...entry }: LedgerEntry): Omit<LedgerRow, 'seq' | 'at'> => ({
  ...entry,
  body: { ...body, key },
});
