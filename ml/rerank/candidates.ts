/**
 * The first stage of a search, by words and by meaning, over a corpus that is held in memory: what a learned fusion is
 * trained and measured on.
 */
import { Bm25 } from '../retrieval/bm25.ts';
import { countOf, inner, type Vectors } from '../retrieval/exact.ts';
import { FEATURES, featuresOf } from './features.ts';

/** Documents as tokens and as vectors, in the same order. */
export interface SearchableCorpus {
  readonly tokens: readonly (readonly string[])[];
  readonly titles: readonly (readonly string[])[];
  readonly vectors: Vectors;
  readonly bm25: Bm25;
}

export interface Candidates {
  /** Rows of the corpus. */
  readonly rows: readonly number[];
  /** FEATURES of each. */
  readonly features: readonly (readonly number[])[];
}

export const searchable = (corpus: Omit<SearchableCorpus, 'bm25'>): SearchableCorpus => {
  if (countOf(corpus.vectors) !== corpus.tokens.length)
    throw new RangeError(`${corpus.tokens.length} documents, ${countOf(corpus.vectors)} vectors`);
  return { ...corpus, bm25: new Bm25(corpus.tokens) };
};

/** The first `depth` of either search, in the order of the corpus. */
export function candidatesOf(
  corpus: SearchableCorpus,
  query: { readonly tokens: readonly string[]; readonly vector: Float32Array },
  depth: number,
): Candidates {
  const { vectors, bm25, tokens, titles } = corpus;
  const asked = { data: query.vector, dimensions: vectors.dimensions };
  const byWords = bm25.scores(query.tokens);
  const byMeaning = Float32Array.from(tokens, (_, row) => inner(asked, 0, vectors, row));
  const [wordRanks, meaningRanks] = [ranksOf(byWords), ranksOf(byMeaning)];
  const standing = (ranks: Uint32Array, scores: Float32Array, row: number) => {
    const before = ranks[row] ?? depth;
    return before < depth ? { rank: before + 1, score: scores[row] ?? 0 } : null;
  };
  const found = tokens.flatMap((own, row) => {
    // A document without a word of the query is not found by words, whatever its rank.
    const lexical = (byWords[row] ?? 0) > 0 ? standing(wordRanks, byWords, row) : null;
    const dense = standing(meaningRanks, byMeaning, row);
    if (!lexical && !dense) return [];
    const vector = vectors.data.subarray(row * vectors.dimensions, (row + 1) * vectors.dimensions);
    return [{ row, lexical, dense, title: titles[row] ?? [], tokens: own, vector }];
  });
  return { rows: found.map(({ row }) => row), features: featuresOf(query, found, depth + 1) };
}

/** Of every row, how many rows stand before it; of equal scores the first of the corpus stands first. */
const ranksOf = (scores: Float32Array): Uint32Array => {
  const order = Array.from(scores, (_, row) => row).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const ranks = new Uint32Array(scores.length);
  for (const [rank, row] of order.entries()) ranks[row] = rank;
  return ranks;
};

/** By reciprocal rank fusion alone, with nothing learned: what a learned fusion has to beat. */
export const fusedWithoutLearning = ({ rows, features }: Candidates): number[] => {
  const fused = FEATURES.indexOf('both ranks fused');
  return rows
    .map((row, n) => ({ row, score: features[n]?.[fused] ?? 0 }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .map(({ row }) => row);
};
