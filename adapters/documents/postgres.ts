import { later } from '../postgres/later.ts';
import type { DocumentStore } from './port.ts';

export interface PostgresDocuments {
  /** `postgres://…` */
  readonly address: string;
  readonly service: string;
  readonly now?: () => number;
}

/** Documents that reach every gateway, whichever machine they were put on. */
export const postgresDocuments = (given: PostgresDocuments): DocumentStore => {
  const { ask, close } = later(given.address, async () =>
    (await import('./postgres-statements.ts')).postgresDocumentStatements(given),
  );
  return {
    put: (tenant, documents, origin) => ask((store) => store.put(tenant, documents, origin)),
    remove: (tenant, ids, origin) => ask((store) => store.remove(tenant, ids, origin)),
    sync: (tenant, documents, origin) => ask((store) => store.sync(tenant, documents, origin)),
    get: (tenant, id) => ask((store) => store.get(tenant, id)),
    list: (tenant, page) => ask((store) => store.list(tenant, page)),
    changes: (after, limit) => ask((store) => store.changes(after, limit)),
    counts: (except) => ask((store) => store.counts(except)),
    identity: () => ask((store) => store.identity()),
    generation: () => ask((store) => store.generation()),
    rebuild: () => ask((store) => store.rebuild()),
    close,
  };
};
