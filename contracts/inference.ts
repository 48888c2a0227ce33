/** Inference as activities on `pawl-infer-gpu`: whole data sets, batch by batch, with a heartbeat after each. */
import type { ArtifactRef } from './artifact.ts';

/** An encoder to infer with: a base model, and an adapter on it where there is one. */
export interface EncoderRef {
  readonly base: string;
  readonly adapter: string | null;
}
export interface EncodeOrder {
  readonly encoder: EncoderRef;
  /** JSON lines of { id, text }. */
  readonly texts: ArtifactRef;
  readonly side: 'query' | 'document';
  readonly maxLength: number;
}
export interface Encoded {
  /** Safetensors with one tensor `embeddings` [texts, dimensions], in the order of the texts. */
  readonly vectors: ArtifactRef;
  readonly count: number;
  readonly dimensions: number;
}
export interface ScoreOrder {
  readonly model: EncoderRef;
  /** JSON lines of { id, query, text }. */
  readonly pairs: ArtifactRef;
  readonly maxLength: number;
}
export interface Scored {
  /** JSON lines of { id, score }. */
  readonly scores: ArtifactRef;
  readonly count: number;
}
export interface EncoderEvaluationOrder {
  readonly encoder: EncoderRef;
  readonly queries: ArtifactRef;
  readonly corpus: ArtifactRef;
  readonly maxLength: { readonly query: number; readonly document: number };
}
export interface EncoderEvaluation {
  readonly ndcg: number;
  readonly queries: number;
  /** JSON lines of { id, ndcg }. */
  readonly perQuery: ArtifactRef;
}
export interface InferenceActivities {
  encodeTexts(order: EncodeOrder): Promise<Encoded>;
  scorePairs(order: ScoreOrder): Promise<Scored>;
  evaluateEncoder(order: EncoderEvaluationOrder): Promise<EncoderEvaluation>;
}
