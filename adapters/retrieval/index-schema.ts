import type { Migration } from '../sqlite/database.ts';

/** So many removed chunks are remembered for whoever keeps a copy in memory; who is further behind reads all anew. */
export const MOST_GONE = 100_000;

/**
 * Chunks are never changed: a document that changes gets new ones, under keys that are larger than all before. So whoever
 * knows up to which key, and up to which row of `gone`, knows everything.
 */
export const INDEX_MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1), recipe TEXT NOT NULL, cursor INTEGER NOT NULL,
    version INTEGER NOT NULL, documents INTEGER NOT NULL, chunks INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE tenants (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, documents INTEGER NOT NULL, chunks INTEGER NOT NULL) STRICT;
  CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL REFERENCES tenants, id TEXT NOT NULL,
    title TEXT NOT NULL, metadata TEXT NOT NULL, UNIQUE (tenant, id)
  ) STRICT;
  CREATE TABLE chunks (
    key INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents, place INTEGER NOT NULL,
    start INTEGER NOT NULL, end INTEGER NOT NULL, headings TEXT NOT NULL, text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX chunks_of_document ON chunks (document);
  CREATE TABLE vectors (key INTEGER PRIMARY KEY, vector BLOB NOT NULL) STRICT;
  CREATE TABLE gone (seq INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL, key INTEGER NOT NULL) STRICT;
  `,
];

/** Words of a tenant's chunks: a table for each, so that neither a search nor its scores know of any other's. */
export const tokensTable = (tenant: number): string => `tokens_${tenant}`;

/**
 * The tokens are made by domain/tokens; FTS5 only has to keep them apart as they are. It keeps them as text too: a table that
 * does not (contentless_delete) never counts a removed row out, and every change would move the scores a little further away
 * from those of an index that is made anew.
 */
export const createTokens = (tenant: number): string =>
  `CREATE VIRTUAL TABLE ${tokensTable(tenant)} USING fts5(title, body, tokenize = 'unicode61 remove_diacritics 0')`;
