/** The file that an index lies in. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PawlError } from '../../contracts/failures.ts';
import { type Database, openDatabase } from '../sqlite/database.ts';
import { storeFailure } from '../sqlite/store-failure.ts';
import { INDEX_MIGRATIONS } from './index-schema.ts';
import type { IndexRecipe } from './port.ts';

export interface IndexFile {
  /** Holds the database, and what is made from it. */
  readonly folder: string;
  readonly recipe: IndexRecipe;
}

/** Another process may just take up a large change. */
const BUSY_MS = 10_000;

export const databasePath = (folder: string): string => join(folder, 'chunks.db');

/** An index can be made anew from the documents, so the death of the process is all that a change must survive. */
export function openToWrite({ folder, recipe }: IndexFile): Database {
  const path = databasePath(folder);
  const database = openDatabase({ path, migrations: INDEX_MIGRATIONS, synchronous: 'NORMAL', busyMs: BUSY_MS });
  try {
    const expected = JSON.stringify([
      recipe.tokenising.stemming,
      recipe.tokenising.splitIdentifiers,
      recipe.dimensions,
    ]);
    database.attempt(() => database.db.prepare('INSERT OR IGNORE INTO state VALUES (1, ?, 0, 0, 0, 0)').run(expected));
    const found = String(database.db.prepare('SELECT recipe FROM state').get()?.recipe);
    if (found !== expected) {
      throw new PawlError(
        'Refused',
        `${path} was made for [stemming, splitIdentifiers, dimensions] ${found}, not ${expected}`,
        {
          hint: 'Two recipes have the same digest: remove the index, and it is made anew.',
        },
      );
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

export function openToRead(folder: string): DatabaseSync {
  const path = databasePath(folder);
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
  } catch (error) {
    throw storeFailure(path, error);
  }
}

/** What `work` reads is of one state of the index, whose version it is told. */
export type InOneState = <T>(work: (version: number) => T) => T;

export function stateReader(db: DatabaseSync): InOneState {
  const state = db.prepare('SELECT version FROM state');
  return (work) => {
    try {
      db.exec('BEGIN');
      return work(Number(state.get()?.version));
    } catch (error) {
      throw storeFailure(db.location() ?? 'the index', error);
    } finally {
      if (db.isTransaction) db.exec('COMMIT');
    }
  };
}
