import type { SourceDocument } from '../../contracts/retrieval.ts';

/** One document after a change; null where it was removed. */
export interface DocumentChange {
  readonly seq: number;
  readonly tenant: string;
  readonly id: string;
  readonly document: SourceDocument | null;
}

export interface DocumentSummary {
  readonly id: string;
  readonly title: string;
  readonly characters: number;
  /** When it was put as it stands, in ms. */
  readonly changedAt: number;
}

/** A document's text that came from a file of the service, and not through the API or by hand. */
export const CORPUS_FILE = 'corpus file';

/**
 * The documents of a service: the one truth that every index is built from.
 *
 * 1. A change gets the next number; a document that is put as it already stands is no change. Whoever sees a change sees
 *    all with smaller numbers too, whoever made them.
 * 2. `changes` gives the last state of each document that changed after a number, the earliest change first: who has taken
 *    up all of them has taken up everything.
 * 3. A document belongs to the origin that touched it last. What is put or removed by hand is not undone by the
 *    synchronisation of a file, which puts and removes only what is its own.
 */
export interface DocumentStore {
  put(tenant: string, documents: readonly SourceDocument[], origin: string): Promise<{ changed: number; seq: number }>;
  remove(tenant: string, ids: readonly string[], origin: string): Promise<{ changed: number; seq: number }>;
  /** Makes what this origin holds of a tenant exactly these documents. */
  sync(
    tenant: string,
    documents: readonly SourceDocument[],
    origin: string,
  ): Promise<{ added: number; changed: number; removed: number; seq: number }>;
  get(tenant: string, id: string): Promise<SourceDocument | null>;
  /** In the order of their ids. */
  list(tenant: string, page: { readonly after?: string; readonly limit: number }): Promise<readonly DocumentSummary[]>;
  changes(after: number, limit: number): Promise<readonly DocumentChange[]>;
  /** Number of the last change, how many documents there are, and how many of them are not of this origin. */
  counts(except?: string): Promise<{ readonly seq: number; readonly documents: number; readonly others: number }>;
  /** Of this store and no other: the numbers of its changes mean something beside it alone. */
  identity(): Promise<string>;
  /** Counts how often somebody asked for all indexes to be built anew. */
  generation(): Promise<number>;
  rebuild(): Promise<number>;
  close(): void;
}
