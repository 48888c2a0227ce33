export interface Hit {
  readonly id: string;
  readonly score: number;
  readonly title: string;
}

export interface Found {
  /** Best first. */
  readonly hits: readonly Hit[];
  /** What finding them cost, for the bill of the request. */
  readonly cpuMs: number;
}

/** A variant that is ready to answer. */
export interface LoadedVariant {
  search(query: string, k: number): Promise<Found>;
}

export const INDEX_STATES = ['ready', 'building', 'failed'] as const;
export interface IndexStatus {
  readonly state: (typeof INDEX_STATES)[number];
  /** Why it is not ready; what was ready before goes on serving. */
  readonly because: string | null;
  /** Digest of the corpus that answers come from; null before the first one. */
  readonly corpus: string | null;
  readonly documents: number;
}

/**
 * Where a service's answers come from.
 *
 * 1. What `load` gives has been checked against its digest; whatever cannot be checked is rejected.
 * 2. At any moment all loaded variants answer from the same state of the corpus, so that they can be compared.
 */
export interface SearchEngine {
  load(variant: string): Promise<LoadedVariant>;
  index(): IndexStatus;
  /** Takes up new documents, if there are any. Never rejects: `index()` tells what went wrong. */
  renew(): Promise<void>;
  close(): Promise<void>;
}
