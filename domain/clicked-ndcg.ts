/**
 * How good served rankings are by what their users took: NDCG at 5 whose gain is a document's attraction for the query.
 *
 * 1. It is a metric of its own, and never part of `ndcg`. Attraction is not relevance: a title may attract to a document that
 *    disappoints; and 5 is as deep as users of a usual service look often enough.
 * 2. There is no reading unless all five places are known: otherwise the best documents could be those nobody looked at.
 * 3. The interval covers what came by chance: which queries, drawn anew as a whole, and how little is known of each document,
 *    whose attraction is drawn anew from its distribution.
 * 4. It reads low, because the best documents by so few clicks are in part the luckiest: by 0.01 with 300 looks a document, by
 *    0.03 with 60 (simulated), and the interval does not hold that. It does so for every variant alike: compare variants by it,
 *    and do not hold it against an absolute limit.
 */
import type { Reading } from '../contracts/vitals.ts';
import { betaDraw, normalDraw } from './beta.ts';
import type { Attraction, ClickModel } from './click-model.ts';
import { mean } from './intervals.ts';
import { type Random, seeded } from './random.ts';
import { normalised } from './tokens.ts';

const DEPTH = 5;
const DRAWS = 200;
/** Looks that a query's documents must have had on average. */
const LEAST_LOOKS = 50;
const LEAST_QUERIES = 5;

interface Ranking {
  readonly query: string;
  readonly ranked: readonly string[];
}

interface Asked {
  /** Rankings that differ, and how often each was served. */
  readonly rankings: ReadonlyArray<{ readonly ranked: readonly string[]; readonly times: number }>;
  readonly known: readonly Attraction[];
}

/** null where the clicks are too few to say anything. */
export const clickedNdcg = (rankings: readonly Ranking[], model: ClickModel, seed: number): Reading | null => {
  const known = model.places.slice(0, DEPTH).filter((place) => place !== null);
  if (model.tooFew !== null || known.length < DEPTH) return null;
  const queries = askedOf(rankings, model);
  if (queries.length < LEAST_QUERIES) return null;
  const n = queries.reduce((total, asked) => total + timesOf(asked), 0);
  const random = seeded(seed);
  const draws = Array.from({ length: DRAWS }, () => {
    const tilt = normalDraw(random);
    const drawn = queries.map(() => queries[Math.floor(random() * queries.length)] as Asked);
    const total = drawn.reduce(
      (sum, asked) => sum + scoreOf(asked, { random, tilt, otherwise: model.meanAttraction }),
      0,
    );
    return total / drawn.reduce((sum, asked) => sum + timesOf(asked), 0);
  }).sort((a, b) => a - b);
  const at = (share: number): number => draws[Math.floor(share * DRAWS)] ?? 0;
  return { value: mean(draws), n, low: at(0.025), high: at(0.975) };
};

const askedOf = (rankings: readonly Ranking[], { attractions }: ClickModel): Asked[] => {
  const known = Map.groupBy(attractions, ({ query }) => query);
  const asked = Map.groupBy(rankings, ({ query }) => normalised(query));
  return [...asked].flatMap(([query, of]): Asked[] => {
    const attracting = known.get(query) ?? [];
    const looks = attracting.reduce((sum, { hits, misses }) => sum + hits + misses, 0);
    return looks < LEAST_LOOKS * Math.max(1, attracting.length) ? [] : [{ rankings: differing(of), known: attracting }];
  });
};

const differing = (rankings: readonly Ranking[]): Asked['rankings'] =>
  [...Map.groupBy(rankings, ({ ranked }) => ranked.slice(0, DEPTH).join('\n')).values()].flatMap((same) =>
    same.slice(0, 1).map(({ ranked }) => ({ ranked: ranked.slice(0, DEPTH), times: same.length })),
  );
const timesOf = ({ rankings }: Asked): number => rankings.reduce((sum, { times }) => sum + times, 0);

interface Draw {
  readonly random: Random;
  /** Which way the places are mistaken, in standard errors. */
  readonly tilt: number;
  /** Attraction of a document that nobody was shown. */
  readonly otherwise: number;
}

const scoreOf = ({ rankings, known }: Asked, { random, tilt, otherwise }: Draw): number => {
  const gains = new Map(
    known.map(({ document, hits, misses, error }) => [
      document,
      betaDraw(random, hits, misses) * Math.exp(-tilt * error),
    ]),
  );
  const ideal = dcg([...gains.values()].sort((a, b) => b - a));
  return rankings.reduce((total, { ranked, times }) => {
    const reached = dcg(ranked.map((document) => gains.get(document) ?? otherwise));
    return total + times * Math.min(1, reached / ideal);
  }, 0);
};

const dcg = (gains: readonly number[]): number =>
  gains.slice(0, DEPTH).reduce((total, gain, place) => total + gain / Math.log2(place + 2), 0);
