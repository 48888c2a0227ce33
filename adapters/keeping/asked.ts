/**
 * What people asked, in the log of served queries and in what they judged: found, and removed so that the bytes are gone
 * from the file. What they told about an answer goes with it.
 *
 * 1. What is deleted is overwritten with zeros, and the write-ahead log that may hold it is emptied.
 * 2. The file is then written anew: rows that were forgotten earlier may have left their bytes in free pages.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { PawlError } from '../../contracts/failures.ts';
import { normalised } from '../../domain/tokens.ts';
import { METRICS_MIGRATIONS } from '../query-log/schema.ts';
import { type Database, openDatabase } from '../sqlite/database.ts';

export type Wanted =
  | { readonly by: 'subject'; readonly hash: string }
  | { readonly by: 'query text' | 'match'; readonly text: string };

const TABLES = ['queries', 'judgements'] as const;

export interface Asked {
  readonly table: (typeof TABLES)[number];
  readonly rowid: number;
  readonly query: string;
}

/** Where it is looked for and removed: the home's own file, or the store that homes share (asked-postgres.ts). */
export interface AskedLog {
  find(wanted: Wanted): Promise<readonly Asked[]>;
  remove(rows: readonly Asked[]): Promise<number>;
  /** Afterwards no byte of what was removed is in the tables. */
  scrub(): Promise<void>;
  close(): void;
}

/** Whether a text that was asked is the one that is wanted. */
export const isWanted = (wanted: Exclude<Wanted, { by: 'subject' }>): ((query: string) => boolean) => {
  const text = normalised(wanted.text);
  return (query) =>
    wanted.by === 'match'
      ? query.toLowerCase().includes(wanted.text.toLowerCase())
      : query === wanted.text || (text !== '' && normalised(query) === text);
};

/** Other processes write in moments; somebody who reads for longer than this is told. */
const PATIENCE_MS = 30_000;

export const askedInFile = (path: string): AskedLog => {
  const database = openDatabase({ path, migrations: METRICS_MIGRATIONS, synchronous: 'NORMAL', busyMs: 5_000 });
  return {
    find: async (wanted) => askedBy(database, wanted),
    remove: async (rows) => removeAsked(database, rows),
    scrub: () => scrub(database),
    close: database.close,
  };
};

const askedBy = ({ db, attempt }: Database, wanted: Wanted): Asked[] =>
  attempt(() => TABLES.flatMap((table) => askedIn(db, table, wanted)));

const askedIn = (db: Database['db'], table: Asked['table'], wanted: Wanted): Asked[] => {
  const select = `SELECT '${table}' AS "table", rowid AS rowid, query FROM ${table}`;
  if (wanted.by === 'subject') {
    const rows = db.prepare(`${select} WHERE subject = ?`).all(wanted.hash);
    return rows as unknown as Asked[];
  }
  const isIt = isWanted(wanted);
  const found: Asked[] = [];
  for (const row of db.prepare(select).iterate()) {
    if (isIt(String(row.query))) found.push(row as unknown as Asked);
  }
  return found;
};

const removeAsked = ({ db, transaction }: Database, rows: readonly Asked[]): number => {
  db.exec('PRAGMA secure_delete = ON');
  const removes = {
    queries: db.prepare('DELETE FROM queries WHERE rowid = ? AND query = ?'),
    judgements: db.prepare('DELETE FROM judgements WHERE rowid = ? AND query = ?'),
  };
  const remove = ({ table, rowid, query }: Asked): number => Number(removes[table].run(rowid, query).changes);
  return transaction(() => rows.reduce((sum, row) => sum + remove(row), 0));
};

/** Afterwards no byte of what was deleted is in the file or beside it. */
const scrub = async ({ db, attempt }: Database): Promise<void> => {
  for (const until = Date.now() + PATIENCE_MS; ; await pause(100)) {
    try {
      attempt(() => db.exec('VACUUM'));
      if (attempt(() => db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy) === 0) return;
    } catch (error) {
      if (!(error instanceof PawlError) || error.type !== 'StoreBusy') throw error;
    }
    if (Date.now() > until) {
      throw new PawlError('StoreBusy', 'The rows are deleted, but another process keeps their bytes in the log file', {
        hint: 'Repeat the command, or stop what reads the log for so long (`fuser`, `lsof`).',
      });
    }
  }
};
