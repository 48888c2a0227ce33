/**
 * How good a ranking is by clicks that were given before the evaluation: NDCG at 5 by attraction, as in clicked-ndcg.ts.
 *
 * The clicks on the arms themselves are no part of it: nobody can lift a ranking by clicking on it while it is tried, and
 * what was added yesterday is worth what it is today. A document that nobody was shown before counts as the average one.
 */
import type { ClickModel } from '../click-model.ts';
import { normalised } from '../tokens.ts';

const DEPTH = 5;
/** Looks that a query's documents must have had on average. */
const LEAST_LOOKS = 50;

export const clickedScores = (model: ClickModel): ((query: string, ranked: readonly string[]) => number | null) => {
  const known = model.places.slice(0, DEPTH).filter((place) => place !== null).length;
  if (model.tooFew !== null || known < DEPTH) return () => null;
  const queries = new Map<string, Asked>();
  for (const [query, of] of Map.groupBy(model.attractions, ({ query }) => query)) {
    const looks = of.reduce((sum, { hits, misses }) => sum + hits + misses, 0);
    if (looks < LEAST_LOOKS * of.length) continue;
    const gains = new Map(of.map(({ document, value }) => [document, value]));
    queries.set(query, { gains, ideal: dcg([...gains.values()].sort((a, b) => b - a)) });
  }
  return (query, ranked) => {
    const asked = queries.get(normalised(query));
    if (!asked) return null;
    const reached = dcg([...new Set(ranked)].map((document) => asked.gains.get(document) ?? model.meanAttraction));
    return Math.min(1, reached / asked.ideal);
  };
};

interface Asked {
  readonly gains: ReadonlyMap<string, number>;
  readonly ideal: number;
}

const dcg = (gains: readonly number[]): number =>
  gains.slice(0, DEPTH).reduce((total, gain, place) => total + gain / Math.log2(place + 2), 0);
