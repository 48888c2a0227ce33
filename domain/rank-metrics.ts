/**
 * How good a ranking is, by graded judgements.
 *
 * 1. Every metric is in [0, 1], and 1 is the best that the judgements allow.
 * 2. A document that a ranking repeats counts once, at its first place.
 * 3. A document without a judgement is not relevant; so is one judged 0.
 */

/** Document id → grade; 0 or absent is not relevant. */
export type Judgements = Readonly<Record<string, number>>;

/** A query with at least one relevant document. */
export interface JudgedQuery {
  readonly id: string;
  readonly text: string;
  readonly judgements: Judgements;
}

export interface RankScores {
  readonly ndcg: number;
  readonly mrr: number;
  readonly recall: number;
}

export const DEPTH = 10;

const gain = (grade: number): number => 2 ** grade - 1;
const discount = (place: number): number => 1 / Math.log2(place + 2);
const gradeOf = (judgements: Judgements, id: string): number =>
  Object.hasOwn(judgements, id) ? Math.max(0, judgements[id] ?? 0) : 0;

const top = (ranked: readonly string[], depth: number): string[] => [...new Set(ranked)].slice(0, depth);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Normalised discounted cumulative gain, with gain 2^grade − 1. */
export function ndcg(ranked: readonly string[], judgements: Judgements, depth = DEPTH): number {
  const ideal = Object.values(judgements)
    .filter((grade) => grade > 0)
    .sort((a, b) => b - a)
    .slice(0, depth);
  if (ideal.length === 0) return 0;
  const reached = top(ranked, depth).map((id, place) => gain(gradeOf(judgements, id)) * discount(place));
  // Both sums run in the same order, so that a perfect ranking gives exactly 1.
  return sum(reached) / sum(ideal.map((grade, place) => gain(grade) * discount(place)));
}

/** 1 / place of the first relevant document; 0 where none is among the first `depth`. */
export function reciprocalRank(ranked: readonly string[], judgements: Judgements, depth = DEPTH): number {
  const place = top(ranked, depth).findIndex((id) => gradeOf(judgements, id) > 0);
  return place < 0 ? 0 : 1 / (place + 1);
}

/** Share of the relevant documents that are among the first `depth`. */
export function recall(ranked: readonly string[], judgements: Judgements, depth = DEPTH): number {
  const relevant = Object.values(judgements).filter((grade) => grade > 0).length;
  if (relevant === 0) return 0;
  return top(ranked, depth).filter((id) => gradeOf(judgements, id) > 0).length / relevant;
}

export const rankScores = (ranked: readonly string[], judgements: Judgements): RankScores => ({
  ndcg: ndcg(ranked, judgements),
  mrr: reciprocalRank(ranked, judgements),
  recall: recall(ranked, judgements),
});
