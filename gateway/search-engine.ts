import type { Explanation, MetadataFilter } from '../contracts/retrieval.ts';

/** The part of a document that was found. */
export interface Passage {
  /** In UTF-16 units of the document's text. */
  readonly start: number;
  readonly end: number;
  readonly headings: readonly string[];
  readonly text: string;
}

export interface Hit {
  readonly id: string;
  readonly score: number;
  readonly title: string;
  /** The best part first; a variant that searches whole documents names none. */
  readonly passages?: readonly Passage[];
  readonly why?: Explanation;
}

export interface SearchQuestion {
  readonly query: string;
  readonly k: number;
  readonly tenant: string;
  readonly filter: MetadataFilter;
}

export interface Found {
  /** Best first. */
  readonly hits: readonly Hit[];
  /** What finding them cost, for the bill of the request. */
  readonly cpuMs: number;
}

/** A variant that is ready to answer. */
export interface LoadedVariant {
  search(question: SearchQuestion): Promise<Found>;
  /** Changes with whatever the answers come from; answers of the same state are the same. */
  state(): string;
  /** Gives back what it holds, once the questions that it works on are answered. */
  release(): Promise<void>;
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
 * 2. Every loaded variant answers from the same documents, so that they can be compared; a change reaches all of them within
 *    one `renew`.
 */
export interface SearchEngine {
  load(variant: string): Promise<LoadedVariant>;
  index(): IndexStatus;
  /** Takes up new documents, if there are any. Never rejects: `index()` tells what went wrong. */
  renew(): Promise<void>;
  close(): Promise<void>;
}
