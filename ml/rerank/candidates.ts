/**
 * The first stage of a search, and what a reranker is told about each of its candidates: what a search by words and a
 * search by meaning say of it, and how its words and the query's meet.
 *
 * A feature is computed from the query and the corpus alone, never from judgements.
 */
import { Bm25 } from '../retrieval/bm25.ts';
import { countOf, inner, type Vectors } from '../retrieval/exact.ts';

export const FEATURES = [
  'bm25',
  'bm25 of the best',
  'bm25 rank',
  'dense',
  'dense below the best',
  'dense rank',
  'likeness to the first places',
  'words in common',
  'weight of the words in common',
  'words in the title',
  'pairs of words in common',
  'length of the query',
  'length of the document',
] as const;

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

/** As many first places of both searches together describe what the query is about (pseudo-relevance feedback). */
const FIRST_PLACES = 4;

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
  const rows = tokens.flatMap((_, row) => (Math.min(wordRanks[row] ?? 0, meaningRanks[row] ?? 0) < depth ? [row] : []));

  const best = { words: Math.max(...byWords) || 1, meaning: Math.max(...byMeaning) };
  const first = [...rows]
    .sort((a, b) => reciprocal(wordRanks, meaningRanks, b) - reciprocal(wordRanks, meaningRanks, a) || a - b)
    .slice(0, FIRST_PLACES);
  const words = [...new Set(query.tokens)];
  const weight = words.reduce((sum, word) => sum + bm25.idf(word), 0) || 1;
  const pairs = pairsOf(query.tokens);

  const features = rows.map((row) => {
    const [own, title] = [new Set(tokens[row]), new Set(titles[row])];
    const common = words.filter((word) => own.has(word));
    const ownPairs = pairsOf(tokens[row] ?? []);
    return [
      byWords[row] ?? 0,
      (byWords[row] ?? 0) / best.words,
      Math.log1p(wordRanks[row] ?? 0),
      byMeaning[row] ?? 0,
      best.meaning - (byMeaning[row] ?? 0),
      Math.log1p(meaningRanks[row] ?? 0),
      likeness(vectors, row, first),
      common.length / (words.length || 1),
      common.reduce((sum, word) => sum + bm25.idf(word), 0) / weight,
      words.filter((word) => title.has(word)).length / (words.length || 1),
      [...pairs].filter((pair) => ownPairs.has(pair)).length / (pairs.size || 1),
      Math.log1p(words.length),
      Math.log1p(tokens[row]?.length ?? 0),
    ];
  });
  return { rows, features };
}

/** Mean inner product with the first places, itself left out. */
const likeness = (vectors: Vectors, row: number, first: readonly number[]): number => {
  const others = first.filter((other) => other !== row);
  return others.reduce((sum, other) => sum + inner(vectors, row, vectors, other), 0) / (others.length || 1);
};

/** Reciprocal rank fusion (Cormack et al. 2009). */
const reciprocal = (one: Uint32Array, two: Uint32Array, row: number): number =>
  1 / (60 + (one[row] ?? 0)) + 1 / (60 + (two[row] ?? 0));

/** Of every row, how many rows stand before it; of equal scores the first of the corpus stands first. */
const ranksOf = (scores: Float32Array): Uint32Array => {
  const order = Array.from(scores, (_, row) => row).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const ranks = new Uint32Array(scores.length);
  for (const [rank, row] of order.entries()) ranks[row] = rank;
  return ranks;
};

const pairsOf = (tokens: readonly string[]): Set<string> =>
  new Set(tokens.slice(1).map((token, at) => `${tokens[at]} ${token}`));

/** By reciprocal rank fusion alone, with nothing learned: what a learned fusion has to beat. */
export const fusedWithoutLearning = ({ rows, features }: Candidates): number[] => {
  const at = { words: FEATURES.indexOf('bm25 rank'), meaning: FEATURES.indexOf('dense rank') };
  const scoreOf = (own: readonly number[]): number =>
    1 / (60 + Math.expm1(own[at.words] ?? 0)) + 1 / (60 + Math.expm1(own[at.meaning] ?? 0));
  return rows
    .map((row, n) => ({ row, score: scoreOf(features[n] ?? []) }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .map(({ row }) => row);
};
