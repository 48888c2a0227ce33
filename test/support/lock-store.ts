import { DatabaseSync } from 'node:sqlite';
import { homePaths } from '../../adapters/home.ts';

/** Holds the control store as another process would; the answer lets it go. */
export const lockStore = (home: string): (() => void) => {
  const db = new DatabaseSync(homePaths(home).control, { timeout: 5_000 });
  db.exec('BEGIN IMMEDIATE');
  return () => db.close();
};
