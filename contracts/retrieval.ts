/** What a service's answers come from: documents, how they are cut, and how what is found is put together. */
import type { ArtifactRef } from './artifact.ts';
import type { EncoderRef } from './inference.ts';
import type { SearchSettings } from './variant.ts';

export const DOCUMENT_FORMATS = ['text', 'markdown', 'code'] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

/** Flat: what filters look at. */
export type Metadata = Readonly<Record<string, string | number | boolean>>;

export interface SourceDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  /** How its text is written: what the chunker by structure goes by. */
  readonly format: DocumentFormat;
  readonly metadata: Metadata;
}

/** How documents are cut. Sizes are in characters; `overlap` is what a chunk repeats of the one before. */
export type ChunkSettings =
  | { readonly method: 'whole' }
  | { readonly method: 'fixed'; readonly size: number; readonly overlap: number }
  | { readonly method: 'recursive'; readonly size: number }
  | { readonly method: 'structure'; readonly size: number }
  /** A chunk ends where what comes next is less alike than this share of all neighbours are. */
  | { readonly method: 'semantic'; readonly size: number; readonly breaks: number };

/** A part of a document: `text` is what stands from `start` to `end` (in UTF-16 units) of the document's text. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The headings that it stands under, the outermost first. */
  readonly headings: readonly string[];
}

/** A model that turns texts into vectors, and what was trained over it: both by their ids. */
export interface EncoderChoice extends EncoderRef {
  /** `query`: documents are encoded by the base alone, and keep their vectors when the adapter changes. */
  readonly side: 'both' | 'query';
  readonly lengths: { readonly query: number; readonly document: number };
}

/** How the two rankings become one. `depth` candidates are taken from each. */
export interface FusionSettings {
  /** rrf: 1 / (k + rank), each leg times its weight. scores: each leg's scores put onto 0 to 1, times its weight. */
  readonly method: 'rrf' | 'scores';
  readonly k: number;
  readonly weights: { readonly lexical: number; readonly dense: number };
  readonly depth: number;
}

/** The best `depth` candidates are put in a new order. */
export type RerankSettings =
  | { readonly kind: 'fusion'; readonly network: ArtifactRef; readonly depth: number }
  | {
      readonly kind: 'cross-encoder';
      readonly encoder: EncoderRef;
      readonly maxLength: number;
      readonly depth: number;
    };

/** Everything that decides which documents a query gets, and in which order. */
export interface HybridSettings {
  readonly chunking: ChunkSettings;
  /** null: no leg by words. */
  readonly lexical: SearchSettings | null;
  /** null: no leg by meaning. */
  readonly dense: EncoderChoice | null;
  readonly fusion: FusionSettings;
  readonly rerank: RerankSettings | null;
  /** Least similarity of a hit by meaning alone; null until it was calibrated for this encoder and corpus. */
  readonly threshold: number | null;
}

/** A variant of hybrid search as its artifact holds it. */
export interface HybridContent {
  readonly kind: 'hybrid';
  readonly service: string;
  readonly settings: HybridSettings;
  /** Digest of what decides the chunks of its index, and their vectors. */
  readonly recipe: string;
  /** As in a lexical variant: a copy of another one, for the canary of this cycle. */
  readonly twin?: string;
}

/** Name → the value it must have, one of several, or a range with its ends. All of them must hold. */
export type MetadataFilter = Readonly<
  Record<
    string,
    | string
    | number
    | boolean
    | { readonly in: readonly (string | number)[] }
    | { readonly from?: number; readonly to?: number }
  >
>;

/** Where a hit stood in one leg: its rank from 1 on, and its score there. */
export interface Standing {
  readonly rank: number;
  readonly score: number;
}

/** Why a hit is where it is; null where a leg did not find it. */
export interface Explanation {
  readonly lexical: Standing | null;
  readonly dense: Standing | null;
  readonly fused: Standing;
  readonly reranked: Standing | null;
}
