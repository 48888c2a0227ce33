/** Hard negatives of a query out of its corpus, by words and by meaning in turn. */
import { type Found, hardNegatives, type NegativesRule } from '../../domain/hard-negatives.ts';
import type { Judgements } from '../../domain/rank-metrics.ts';
import type { Bm25 } from './bm25.ts';
import { inner, type Vectors } from './exact.ts';

/** Ids, tokens and vectors in the same order. */
export interface MinedCorpus {
  readonly ids: readonly string[];
  readonly bm25: Bm25;
  readonly vectors: Vectors;
}
export interface MinedQuery {
  readonly tokens: readonly string[];
  readonly vector: Float32Array;
  readonly judgements: Judgements;
}

/** As deep as a retriever is trusted to find what is near the mark. */
const DEPTH = 50;

/** Ids, the hardest first. */
export function minedNegatives({ ids, bm25, vectors }: MinedCorpus, query: MinedQuery, rule: NegativesRule): string[] {
  const relevant = new Set(Object.keys(query.judgements).filter((id) => (query.judgements[id] ?? 0) > 0));
  const asked = { data: query.vector, dimensions: vectors.dimensions };
  const byMeaning = ids.map((_, row) => inner(asked, 0, vectors, row));
  const byWords = bm25.scores(query.tokens);
  return hardNegatives([foundIn(ids, byWords, relevant), foundIn(ids, byMeaning, relevant)], relevant, rule);
}

function foundIn(ids: readonly string[], scores: ArrayLike<number>, relevant: ReadonlySet<string>): Found {
  // What shares nothing with the query is no hard negative of it.
  const all = ids.map((id, row) => ({ id, row, score: scores[row] ?? 0 })).filter(({ score }) => score > 0);
  const answers = all.filter(({ id }) => relevant.has(id)).map(({ score }) => score);
  return {
    ranked: all.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, DEPTH),
    answer: answers.length === 0 ? null : Math.max(...answers),
  };
}
