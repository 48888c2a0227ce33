/**
 * One ranking out of several over the same keys.
 *
 * rrf: a hit gets weight / (k + rank) from each leg that found it (Cormack, Clarke and Büttcher 2009).
 * scores: a hit gets weight × its score put onto 0 to 1, between what the leg gives to what it did not find and its best.
 *
 * 1. A leg counts with its best `depth` hits; a key that it repeats counts once, at its first place.
 * 2. A leg of weight 0 brings no hit in, and still says where the hits of the others stand in it.
 * 3. The order never depends on how legs or hits were put into memory: equal scores are ordered by their rank in the
 *    leg with the most weight (of equal ones the first by name), then in the next, at last by key.
 */
import type { FusionSettings, Standing } from '../contracts/retrieval.ts';

export interface Scored {
  readonly key: string;
  readonly score: number;
}

export interface Fusion<Leg extends string> extends Omit<FusionSettings, 'weights'> {
  readonly weights: Readonly<Record<Leg, number>>;
}

export interface Fused<Leg extends string = 'lexical' | 'dense'> {
  readonly key: string;
  readonly fused: Standing;
  /** null where a leg did not find it. */
  readonly legs: Readonly<Record<Leg, Standing | null>>;
}

/** The legs best first. */
export function fuse<Leg extends string>(
  legs: Readonly<Record<Leg, readonly Scored[]>>,
  settings: Fusion<Leg>,
): Fused<Leg>[] {
  check(settings);
  const names = (Object.keys(settings.weights) as Leg[]).sort();
  const standings = names.map((name) => standingsOf(legs[name] ?? [], settings.depth));
  const shares = standings.map((leg) =>
    settings.method === 'rrf' ? reciprocal(settings.k) : normalised(leg, settings),
  );

  const scores = new Map<string, number>();
  for (const [at, name] of names.entries()) {
    const weight = settings.weights[name];
    if (weight === 0) continue;
    for (const [key, standing] of standings[at] ?? [])
      scores.set(key, (scores.get(key) ?? 0) + weight * (shares[at]?.(standing) ?? 0));
  }
  const rankIn = (at: number, key: string): number => standings[at]?.get(key)?.rank ?? Number.MAX_SAFE_INTEGER;
  const weightAt = (at: number): number => settings.weights[names[at] as Leg];
  const heaviest = [...names.keys()].sort((a, b) => weightAt(b) - weightAt(a));
  const byStanding = (a: string, b: string): number => {
    for (const at of heaviest) {
      const difference = rankIn(at, a) - rankIn(at, b);
      if (difference !== 0) return difference;
    }
    return a < b ? -1 : 1;
  };
  return [...scores]
    .sort(([a, first], [b, second]) => second - first || byStanding(a, b))
    .map(([key, score], place) => ({
      key,
      fused: { rank: place + 1, score },
      legs: Object.fromEntries(names.map((name, at) => [name, standings[at]?.get(key) ?? null])) as Record<
        Leg,
        Standing | null
      >,
    }));
}

function standingsOf(hits: readonly Scored[], depth: number): Map<string, Standing> {
  const standings = new Map<string, Standing>();
  for (const { key, score } of hits) {
    if (standings.size === depth) break;
    if (!Number.isFinite(score)) throw new RangeError(`A hit's score must be a number, that of ${key} is ${score}.`);
    if (!standings.has(key)) standings.set(key, { rank: standings.size + 1, score });
  }
  return standings;
}

type Share = (standing: Standing) => number;

const reciprocal =
  (k: number): Share =>
  ({ rank }) =>
    1 / (k + rank);

/**
 * A leg that is full left hits out that would have come right after its last: they and the last are worth 0. One that
 * ended before found all there is, and what it did not find has the score 0. So nothing jumps at the depth, as it does
 * with bounds from theory (Bruch, Gai and Ingber 2023) where the scores of what was not found are not computed.
 */
function normalised(leg: ReadonlyMap<string, Standing>, { depth }: { readonly depth: number }): Share {
  const scores = [...leg.values()].map(({ score }) => score);
  const best = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const last = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const floor = leg.size < depth ? Math.min(last, 0) : last;
  return ({ score }) => (best > floor ? (score - floor) / (best - floor) : 1);
}

function check({ k, depth, weights }: Fusion<string>): void {
  if (!(k >= 0 && Number.isFinite(k))) throw new RangeError(`k: expected a number of at least 0, found ${k}`);
  if (!Number.isInteger(depth) || depth < 1)
    throw new RangeError(`depth: expected a whole number from 1 on, found ${depth}`);
  const values = Object.values(weights);
  if (!values.every((weight) => weight >= 0 && Number.isFinite(weight)) || !values.some((weight) => weight > 0))
    throw new RangeError(`weights: expected numbers of at least 0, one of them above, found ${values.join(', ')}`);
}
