import { PawlError } from '../../contracts/failures.ts';
import type { LedgerKey } from '../keys/ledger-key.ts';
import { postgresAddress } from '../postgres/address.ts';
import type { ControlStore } from './port.ts';
import { controlStore, type Statements } from './store.ts';

export interface PostgresControl {
  /** `postgres://…` */
  readonly address: string;
  /** Of this home; every home of the store must hold the same one. */
  readonly key: LedgerKey;
  readonly now?: () => number;
  readonly busyMs?: number;
}

/**
 * A control store for homes on several machines. It connects when it is first asked, and what talks to PostgreSQL is loaded
 * only then: a command on a home with a store of its own would otherwise wait for that.
 */
export const postgresControl = (given: PostgresControl): ControlStore => {
  const { place } = postgresAddress(given.address);
  let loading: Promise<Statements> | null = null;
  let closed = false;
  const db = async (): Promise<Statements> => {
    if (closed) throw new PawlError('Unavailable', `The store ${place} is closed`);
    loading ??= import('./postgres-statements.ts').then(({ postgresStatements }) => postgresStatements(given));
    return loading;
  };
  return controlStore({
    change: async (change) => (await db()).change(change),
    service: async (name) => (await db()).service(name),
    services: async () => (await db()).services(),
    fleet: async () => (await db()).fleet(),
    variant: async (id) => (await db()).variant(id),
    variants: async (service) => (await db()).variants(service),
    baseline: async (service, variant) => (await db()).baseline(service, variant),
    model: async (id) => (await db()).model(id),
    models: async (filter) => (await db()).models(filter),
    answer: async (key) => (await db()).answer(key),
    rows: async (query) => (await db()).rows(query),
    head: async () => (await db()).head(),
    hashes: async () => (await db()).hashes(),
    close: () => {
      closed = true;
      void loading?.then((statements) => statements.close());
    },
  });
};
