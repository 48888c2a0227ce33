/**
 * SQLite as Pawl uses it, by several processes at once.
 *
 * 1. A change runs in BEGIN IMMEDIATE, so it sees the newest state and waits for its turn before it reads.
 * 2. It is there as a whole or not at all; an error of any kind rolls back.
 * 3. What SQLite says when it fails comes out as a failure of the catalogue.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PawlError } from '../../contracts/failures.ts';
import { assertLocalDisk, type StatFs } from './local-disk.ts';
import { storeFailure } from './store-failure.ts';

export interface Database {
  readonly db: DatabaseSync;
  /** Runs reads (or one statement) and translates what goes wrong. */
  attempt<T>(work: () => T): T;
  /** Runs a change. */
  transaction<T>(work: () => T): T;
  close(): void;
}

export interface DatabaseOptions {
  readonly path: string;
  /** Step n brings schema version n to n + 1. Steps that have shipped never change. */
  readonly migrations: readonly string[];
  /** FULL: an acknowledged change survives a power cut. NORMAL: it survives the death of the process. */
  readonly synchronous: 'FULL' | 'NORMAL';
  /** So long a change waits for its turn, and with it the whole process: SQLite waits in the caller's thread. */
  readonly busyMs?: number;
  readonly statfs?: StatFs;
}

/** Shorter than the time-out of the activities that change traffic, so that they say what they waited for. */
const BUSY_MS = 1_500;

export const openDatabase = (options: DatabaseOptions): Database => {
  const { path, migrations, synchronous, busyMs = BUSY_MS, statfs } = options;
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw storeFailure(path, error);
    }
  };

  const db = attempt(() => {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true });
      assertLocalDisk(dirname(path), statfs);
    }
    return new DatabaseSync(path, { timeout: busyMs, enableForeignKeyConstraints: true });
  });

  const transaction = <T>(work: () => T): T =>
    attempt(() => {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        // SQLite has already rolled back after some failures, a full disk among them.
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    });

  const version = (): number => Number(db.prepare('PRAGMA user_version').get()?.user_version);
  const migrate = (): void => {
    if (version() === migrations.length) return;
    transaction(() => {
      const from = version(); // Another process may have been faster.
      if (from > migrations.length) throw newer(path, from, migrations.length);
      for (const step of migrations.slice(from)) db.exec(step);
      db.exec(`PRAGMA user_version = ${migrations.length}`);
    });
  };

  try {
    attempt(() => db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`));
    migrate();
  } catch (error) {
    db.close();
    throw error;
  }
  return { db, attempt, transaction, close: () => db.isOpen && db.close() };
};

const newer = (path: string, found: number, known: number): PawlError =>
  new PawlError('SetupFailed', `${path} has schema version ${found}; this Pawl knows versions up to ${known}`, {
    hint: 'Use the Pawl that wrote it, or a newer one. Nothing was changed.',
  });
