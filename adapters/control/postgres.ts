import type { LedgerKey } from '../keys/ledger-key.ts';
import { later } from '../postgres/later.ts';
import type { ControlStore } from './port.ts';
import { controlStore } from './store.ts';

export interface PostgresControl {
  /** `postgres://…` */
  readonly address: string;
  /** Of this home; every home of the store must hold the same one. */
  readonly key: LedgerKey;
  readonly now?: () => number;
  readonly busyMs?: number;
}

/** A control store for homes on several machines. */
export const postgresControl = (given: PostgresControl): ControlStore => {
  const { ask, close } = later(given.address, async () =>
    (await import('./postgres-statements.ts')).postgresStatements(given),
  );
  return controlStore({
    change: (change) => ask((db) => db.change(change)),
    service: (name) => ask((db) => db.service(name)),
    services: () => ask((db) => db.services()),
    fleet: () => ask((db) => db.fleet()),
    variant: (id) => ask((db) => db.variant(id)),
    variants: (service) => ask((db) => db.variants(service)),
    baseline: (service, variant) => ask((db) => db.baseline(service, variant)),
    model: (id) => ask((db) => db.model(id)),
    models: (filter) => ask((db) => db.models(filter)),
    answer: (key) => ask((db) => db.answer(key)),
    rows: (query) => ask((db) => db.rows(query)),
    head: () => ask((db) => db.head()),
    hashes: () => ask((db) => db.hashes()),
    close,
  });
};
