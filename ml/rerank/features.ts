/**
 * What a reranker is told about each candidate of a search: where both legs have it, and how its words and the query's meet.
 *
 * It is computed from the query and from what the legs found alone, so that training and serving see the same, and never
 * from judgements.
 */
import type { Standing } from '../../contracts/retrieval.ts';

export const FEATURES = [
  'in the search by words',
  'score by words',
  'score by words, of the best',
  'rank by words',
  'in the search by meaning',
  'score by meaning',
  'score by meaning, below the best',
  'rank by meaning',
  'likeness to the first places',
  'both ranks fused',
  'words in common',
  'rare words in common',
  'words in the title',
  'pairs of words in common',
  'length of the query',
  'length of the text',
] as const;

export interface FeatureSource {
  readonly lexical: Standing | null;
  readonly dense: Standing | null;
  readonly title: readonly string[];
  /** Of length 1; null where there is no search by meaning. */
  readonly vector: Float32Array | null;
  /** Tokens of title and text. */
  readonly tokens: readonly string[];
}

/** As far as 60 makes the first places differ (Cormack et al. 2009). */
const K = 60;

/** As many first places of both searches together describe what the query is about (pseudo-relevance feedback). */
const FIRST_PLACES = 4;

export interface FeatureQuery {
  readonly tokens: readonly string[];
  readonly vector: Float32Array | null;
}

/** One row for each candidate, in their order. `absent` is the rank of what a leg did not find. */
export function featuresOf(query: FeatureQuery, candidates: readonly FeatureSource[], absent: number): number[][] {
  const likenesses = candidates.map(({ dense, vector }) =>
    query.vector && vector ? inner(query.vector, vector) : (dense?.score ?? 0),
  );
  const best = {
    lexical: Math.max(...candidates.map(({ lexical }) => lexical?.score ?? 0)) || 1,
    dense: Math.max(...likenesses),
  };
  const first = firstPlaces(candidates, absent);
  const words = [...new Set(query.tokens)];
  const pairs = pairsOf(query.tokens);
  const bags = candidates.map(({ tokens }) => new Set(tokens));
  // A word that few of the candidates have tells them apart.
  const weight = new Map(words.map((word) => [word, rarity(bags, word)]));
  const whole = sum(weight.values()) || 1;

  return candidates.map(({ lexical, dense, title, tokens }, at) => {
    const own = bags[at] ?? new Set();
    const common = words.filter((word) => own.has(word));
    const inTitle = new Set(title);
    const ownPairs = pairsOf(tokens);
    const [byWords, byMeaning] = [lexical?.rank ?? absent, dense?.rank ?? absent];
    const alike = likenesses[at] ?? 0;
    return [
      lexical ? 1 : 0,
      lexical?.score ?? 0,
      (lexical?.score ?? 0) / best.lexical,
      Math.log(byWords),
      dense ? 1 : 0,
      alike,
      best.dense - alike,
      Math.log(byMeaning),
      likenessTo(first, candidates, at),
      K / (K + byWords) + K / (K + byMeaning),
      common.length / (words.length || 1),
      sum(common.map((word) => weight.get(word) ?? 0)) / whole,
      words.filter((word) => inTitle.has(word)).length / (words.length || 1),
      [...pairs].filter((pair) => ownPairs.has(pair)).length / (pairs.size || 1),
      Math.log1p(words.length),
      Math.log1p(tokens.length),
    ];
  });
}

const firstPlaces = (candidates: readonly FeatureSource[], absent: number): readonly number[] => {
  const fused = ({ lexical, dense }: FeatureSource): number =>
    1 / (K + (lexical?.rank ?? absent)) + 1 / (K + (dense?.rank ?? absent));
  return candidates
    .map((one, at) => ({ at, score: fused(one) }))
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, FIRST_PLACES)
    .map(({ at }) => at);
};

/** Mean likeness, itself left out. */
const likenessTo = (first: readonly number[], candidates: readonly FeatureSource[], at: number): number => {
  const own = candidates[at]?.vector;
  const others = first.flatMap((other) => (other === at ? [] : (candidates[other]?.vector ?? [])));
  return own && others.length > 0 ? sum(others.map((other) => inner(own, other))) / others.length : 0;
};

const inner = (a: Float32Array, b: Float32Array): number => {
  let product = 0;
  for (const [at, value] of a.entries()) product += value * (b[at] ?? 0);
  return product;
};

const rarity = (bags: readonly ReadonlySet<string>[], word: string): number => {
  const having = bags.filter((bag) => bag.has(word)).length;
  return having === 0 ? 0 : Math.log1p(bags.length / having);
};

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

const pairsOf = (tokens: readonly string[]): Set<string> =>
  new Set(tokens.slice(1).map((token, at) => `${tokens[at]} ${token}`));
