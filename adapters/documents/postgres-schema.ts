/**
 * Documents of all services of a store (sqlite.ts has a file for each). One that was removed stays as a row without content,
 * so that every index hears of it. Step n brings schema version n to n + 1; a step that has shipped never changes.
 */
export const POSTGRES_DOCUMENTS_MIGRATIONS: readonly string[] = [
  `
  -- Whoever changes a service's documents holds its row until the change is done, and takes the next numbers from it.
  CREATE TABLE document_stores (
    service    text COLLATE "C" PRIMARY KEY,
    store      text NOT NULL,
    generation bigint NOT NULL CHECK (generation >= 0),
    seq        bigint NOT NULL CHECK (seq >= 0)
  );
  CREATE TABLE documents (
    service    text COLLATE "C" NOT NULL REFERENCES document_stores (service),
    tenant     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    origin     text COLLATE "C" NOT NULL,
    seq        bigint NOT NULL,
    changed_at double precision NOT NULL,
    digest     text,
    title      text NOT NULL,
    characters bigint NOT NULL,
    content    text CHECK (content IS NULL OR content::json IS NOT NULL),
    PRIMARY KEY (service, tenant, id),
    UNIQUE (service, seq)
  );
  -- Gateways count every second: from this alone, without the documents.
  CREATE INDEX documents_there ON documents (service, origin) WHERE content IS NOT NULL;
  `,
];

export interface DocumentTables {
  document_stores: {
    readonly service: string;
    readonly store: string;
    readonly generation: number;
    readonly seq: number;
  };
  documents: {
    readonly service: string;
    readonly tenant: string;
    readonly id: string;
    readonly origin: string;
    readonly seq: number;
    readonly changed_at: number;
    readonly digest: string | null;
    readonly title: string;
    readonly characters: number;
    readonly content: string | null;
  };
}
