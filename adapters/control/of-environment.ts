import { homePaths } from '../home.ts';
import { ledgerKeyFor } from '../keys/ledger-key.ts';
import { postgresAddress } from '../postgres/address.ts';
import type { ControlStore } from './port.ts';
import { postgresControl } from './postgres.ts';
import { sqliteControl } from './sqlite.ts';

interface StoreEnvironment {
  readonly home: string;
  /** The address of a PostgreSQL that several homes share; null: a file of the home. */
  readonly store: string | null;
}

export const controlOf = ({ home, store }: StoreEnvironment): ControlStore => {
  const { control } = homePaths(home);
  return store === null ? sqliteControl(control) : postgresControl({ address: store, key: ledgerKeyFor(control) });
};

/** As a person is told where it is: never with a password. */
export const placeOfControl = ({ home, store }: StoreEnvironment): string =>
  store === null ? homePaths(home).control : postgresAddress(store).place;
