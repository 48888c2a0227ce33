import { homePaths } from '../home.ts';
import { subjectMarkThere } from '../keys/subject-key.ts';
import type { QueryLog } from './port.ts';
import { postgresQueryLog } from './postgres.ts';
import { sqliteQueryLog } from './sqlite.ts';

/** Where the control store is, the log is too. */
export const queryLogOf = ({ home, store }: { readonly home: string; readonly store: string | null }): QueryLog => {
  const { metrics, keys } = homePaths(home);
  return store === null ? sqliteQueryLog(metrics) : postgresQueryLog(store, () => subjectMarkThere(keys));
};
