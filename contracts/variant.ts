import type { ArtifactRef } from './artifact.ts';

/** Settings of a lexical search: everything that decides which documents a query gets, and in which order. */
export interface SearchSettings {
  /** BM25 weight of each indexed field; 0 leaves the field out of the ranking. */
  readonly weights: { readonly title: number; readonly body: number };
  /** Words are reduced to their stem (Porter) in index and query. */
  readonly stemming: boolean;
  /** Identifiers such as `readFileSync` are also indexed and searched by their words. */
  readonly splitIdentifiers: boolean;
  /** Query words in at least this share of the documents are left out; 1 keeps them all. */
  readonly stopShare: number;
  /** Words searched beside a query word, at a fraction of its weight. */
  readonly synonyms: Readonly<Record<string, readonly string[]>>;
  /** How many words from the best documents of a first pass are added to the query; 0 turns expansion off. */
  readonly expansion: { readonly documents: number; readonly words: number };
}

/** A variant as its artifact holds it: immutable, and named by the digest of this very content. */
export interface VariantContent {
  readonly kind: 'lexical';
  readonly service: string;
  readonly settings: SearchSettings;
  /** Digest of the index recipe: which tokens an index built for this variant holds (docs/adr). */
  readonly recipe: string;
  /** Set on a copy that differs from its original in nothing else: the cycle whose canary it was made for. */
  readonly twin?: string;
}

/** A variant as the registry lists it. `id` is the sha256 of its content. */
export interface Variant {
  readonly id: string;
  readonly service: string;
  readonly artifact: ArtifactRef;
  /** The cycle that built it, or `init` / `hand` / `twin`. */
  readonly origin: string;
  readonly createdAt: string;
}
