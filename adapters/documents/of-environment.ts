import { join } from 'node:path';
import { homePaths } from '../home.ts';
import type { DocumentStore } from './port.ts';
import { postgresDocuments } from './postgres.ts';
import { sqliteDocuments } from './sqlite.ts';

/** Plain data, so that a thread can open them too. */
export type DocumentsPlace = { readonly path: string } | { readonly address: string; readonly service: string };

/** Where the control store is, documents are too. */
export const documentsPlace = (
  { home, store }: { readonly home: string; readonly store: string | null },
  service: string,
): DocumentsPlace =>
  store === null ? { path: join(homePaths(home).documents, `${service}.db`) } : { address: store, service };

export const documentsAt = (place: DocumentsPlace): DocumentStore =>
  'path' in place ? sqliteDocuments(place.path) : postgresDocuments(place);
