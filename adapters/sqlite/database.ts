/**
 * SQLite as Pawl uses it, by several processes at once.
 *
 * 1. A change runs in BEGIN IMMEDIATE, so it sees the newest state and waits for its turn before it reads.
 * 2. It is there as a whole or not at all; an error of any kind rolls back.
 * 3. What SQLite says when it fails comes out as a failure of the catalogue.
 * 4. A file is brought forward in one transaction: it has one version or the other, whoever dies when. Where that is asked
 *    for, what it held before is kept beside it as `<file>.v<version>`, which is the way back.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PawlError } from '../../contracts/failures.ts';
import { assertLocalDisk, type StatFs } from './local-disk.ts';
import { isBusy, storeFailure } from './store-failure.ts';

export interface Database {
  readonly db: DatabaseSync;
  /** Runs reads (or one statement) and translates what goes wrong. */
  attempt<T>(work: () => T): T;
  /** Runs a change. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** Step n brings schema version n to n + 1. Steps that have shipped never change. */
export type Migration = string | ((db: DatabaseSync) => void);

export interface DatabaseOptions {
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** Keeps a file that is brought forward as it was. */
  readonly keepOlder?: boolean;
  /** FULL: an acknowledged change survives a power cut. NORMAL: it survives the death of the process. */
  readonly synchronous: 'FULL' | 'NORMAL';
  /** So long a change waits for its turn, and with it the whole process: SQLite waits in the caller's thread. */
  readonly busyMs?: number;
  readonly statfs?: StatFs;
}

/** Shorter than the time-out of the activities that change traffic, so that they say what they waited for. */
const BUSY_MS = 1_500;
/** Whoever comes while another process brings the file forward waits for it: nothing can be done before. */
const FORWARD_MS = 60_000;
const TURN_MS = 20;

export const openDatabase = (options: DatabaseOptions): Database => {
  const { path, migrations, synchronous, keepOlder = false, busyMs = BUSY_MS, statfs } = options;
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
    db.exec(`PRAGMA busy_timeout = ${FORWARD_MS}`);
    transaction(() => {
      const from = version(); // Another process may have been faster.
      if (from === migrations.length) return;
      if (from > migrations.length) throw newer(path, from, migrations.length);
      if (keepOlder && from > 0 && path !== ':memory:') keepAs(`${path}.v${from}`, path);
      for (const step of migrations.slice(from)) {
        if (typeof step === 'string') db.exec(step);
        else step(db);
      }
      db.exec(`PRAGMA user_version = ${migrations.length}`);
    });
    db.exec(`PRAGMA busy_timeout = ${busyMs}`);
  };

  try {
    attempt(() => {
      inItsTurn(() => db.exec('PRAGMA journal_mode = WAL'));
      db.exec(`PRAGMA synchronous = ${synchronous}`);
    });
    migrate();
  } catch (error) {
    db.close();
    throw error;
  }
  return { db, attempt, transaction, close: () => db.isOpen && db.close() };
};

/**
 * The first who opens a new file changes its journal. Of several that open it at once SQLite lets only one, and tells the
 * others that it is locked without waiting as it does elsewhere.
 */
const inItsTurn = (work: () => void): void => {
  const until = performance.now() + FORWARD_MS;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TURN_MS);
    }
  }
};

/** Copies what is committed, through a connection of its own, while the caller's transaction keeps others from writing. */
const keepAs = (kept: string, path: string): void => {
  const temporary = `${kept}.${randomUUID()}.tmp`;
  const before = new DatabaseSync(path, { readOnly: true });
  try {
    before.prepare('VACUUM INTO ?').run(temporary);
    const file = openSync(temporary, 'r+');
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, kept);
  } finally {
    before.close();
    rmSync(temporary, { force: true });
  }
};

const newer = (path: string, found: number, known: number): PawlError =>
  new PawlError('SetupFailed', `${path} has schema version ${found}; this Pawl knows versions up to ${known}`, {
    hint: 'Use the Pawl that wrote it, or a newer one. Nothing was changed.',
  });
