import { homePaths } from '../home.ts';
import type { AccessStore } from './port.ts';
import { postgresAccess } from './postgres.ts';
import { sqliteAccess } from './sqlite.ts';
import { ACCESS_MARK, tokenHasher } from './token.ts';

/** Where the control store is, keys are too. */
export const accessOf = ({ home, store }: { readonly home: string; readonly store: string | null }): AccessStore => {
  const { access, keys } = homePaths(home);
  if (store === null) return sqliteAccess(access);
  const hash = tokenHasher(keys);
  return postgresAccess({ address: store, mark: () => hash(ACCESS_MARK) });
};
