import type { Chunk, Metadata, MetadataFilter } from '../../contracts/retrieval.ts';
import type { SearchSettings } from '../../contracts/variant.ts';

export interface IndexedChunk extends Chunk {
  /** null where the recipe has no leg by meaning. */
  readonly vector: Float32Array | null;
}

/** A document as an index holds it. Without chunks it is gone. */
export interface IndexedDocument {
  readonly tenant: string;
  readonly id: string;
  readonly title: string;
  readonly metadata: Metadata;
  readonly chunks: readonly IndexedChunk[];
}

export interface StoredChunk extends Chunk {
  readonly key: string;
  readonly document: string;
  readonly title: string;
  /** Its place among the chunks of its document, from 0 on. */
  readonly index: number;
  readonly metadata: Metadata;
  readonly vector: Float32Array | null;
}

export interface ScoredChunk {
  /** Names the chunk in this index. */
  readonly key: string;
  readonly document: string;
  readonly score: number;
}

export interface IndexQuestion {
  /** Chunks of other tenants are never looked at. */
  readonly tenant: string;
  readonly filter: MetadataFilter;
  /** So many at most from each leg. */
  readonly limit: number;
  /** null: that leg is not asked. */
  readonly dense: { readonly vector: Float32Array } | null;
  readonly lexical: { readonly query: string; readonly settings: SearchSettings } | null;
}

/** What each leg found, best first; equal scores in an order that never changes. Empty for one that was not asked. */
export interface Legs {
  readonly dense: readonly ScoredChunk[];
  readonly lexical: readonly ScoredChunk[];
}

export interface IndexCounts {
  readonly documents: number;
  readonly chunks: number;
}

/**
 * The chunks of one service under one recipe.
 *
 * 1. `apply` is all or nothing, cursor included, and a repeated one changes nothing: the chunks that a document had before
 *    are gone when its new ones are there. One whose cursor is not beyond that of the index is a repeated one, so changes
 *    come in the order of their cursors.
 * 2. A question sees a document's old chunks or its new ones, never some of both, and never another tenant's.
 * 3. Similarity is the cosine; vectors come with length 1. One of another length or with a number that is none is refused.
 */
export interface ChunkIndex {
  /** How far the changes of documents were taken up; 0 at first. */
  cursor(): Promise<number>;
  apply(changes: { readonly cursor: number; readonly documents: readonly IndexedDocument[] }): Promise<void>;
  search(question: IndexQuestion): Promise<Legs>;
  /** In the order of the keys; one that is not there (any more) is left out. */
  chunks(tenant: string, keys: readonly string[]): Promise<readonly StoredChunk[]>;
  counts(): Promise<IndexCounts>;
  close(): Promise<void>;
}

/** What an index is opened for; another recipe is another index. */
export interface IndexRecipe {
  readonly service: string;
  /** Digest of everything that decides what its chunks are. */
  readonly digest: string;
  readonly tokenising: { readonly stemming: boolean; readonly splitIdentifiers: boolean };
  /** null: no vectors. */
  readonly dimensions: number | null;
}

/** Where indexes are kept. */
export interface ChunkIndexes {
  /** Makes it where it is not there yet. */
  open(recipe: IndexRecipe): Promise<ChunkIndex>;
  /** Digests of a service's recipes that have an index. */
  list(service: string): Promise<readonly string[]>;
  remove(service: string, digest: string): Promise<void>;
}
