/**
 * Which fusion a corpus gets, by its judged queries: fusion loses to a single leg where the legs differ much.
 *
 * 1. The kinds are compared from the simplest on, and a kind takes the place of a simpler one only where the 95 % interval
 *    of its gain in NDCG@10 is above 0. So the simplest wins ties, and a single leg stays where no fusion beats it.
 * 2. A kind is scored on queries that its weights were not chosen by (five folds): with more weights to try, a kind would
 *    else look better by luck alone.
 * 3. The same queries and the same seed give the same choice.
 */
import { type Difference, pairedDifference } from './bootstrap.ts';
import { type Fusion, fuse, type Scored } from './fusion.ts';
import { mean } from './intervals.ts';
import { seeded } from './random.ts';
import { type Judgements, ndcg } from './rank-metrics.ts';

/** Hits are chunks; what is judged is documents. */
export interface JudgedLegs<Leg extends string> {
  readonly legs: Readonly<Record<Leg, ReadonlyArray<Scored & { readonly document: string }>>>;
  readonly judgements: Judgements;
}

/** The simplest first. */
export const FUSION_KINDS = ['single leg', 'rrf', 'weighted rrf', 'scores'] as const;
export type FusionKind = (typeof FUSION_KINDS)[number];

export interface ComparedKind<Leg extends string> {
  readonly kind: FusionKind;
  /** The best of its kind over all queries. */
  readonly settings: Fusion<Leg>;
  /** NDCG@10 on queries that did not choose its weights. */
  readonly ndcg: number;
  /** Against the simpler kind that had won so far; null for the first. */
  readonly gain: (Difference & { readonly over: FusionKind }) | null;
}

export interface FusionChoice<Leg extends string> {
  readonly kind: FusionKind;
  readonly settings: Fusion<Leg>;
  readonly compared: ReadonlyArray<ComparedKind<Leg>>;
}

/** With fewer an interval says nothing. */
export const LEAST_QUERIES = 20;
const FOLDS = 5;
const USUAL_K = 60;
const KS = [10, 30, 60] as const;
/** Weights are tried in tenths. */
const PARTS = 10;

/** Of legs that are equally good alone the one named first. null: too few queries with a relevant document to tell. */
export function chooseFusion<Leg extends string>(
  queries: ReadonlyArray<JudgedLegs<Leg>>,
  options: { readonly depth: number; readonly seed: number },
): FusionChoice<Leg> | null {
  const judged = queries.filter(({ judgements }) => Object.values(judgements).some((grade) => grade > 0));
  const [first] = judged;
  if (first === undefined || judged.length < LEAST_QUERIES) return null;
  const folds = foldsOf(judged.length, options.seed);
  const candidates = candidatesOf(Object.keys(first.legs) as Leg[], options.depth);

  const compared: ComparedKind<Leg>[] = [];
  let winner: { kind: FusionKind; settings: Fusion<Leg>; scores: readonly number[] } | null = null;
  for (const kind of FUSION_KINDS) {
    const tried = candidates[kind].map((settings) => ({
      settings,
      scores: judged.map((query) => scoreOf(query, settings)),
    }));
    const scores = judged.map((_, at) => bestOf(tried, (query) => folds[query] !== folds[at])?.scores[at] ?? 0);
    const settings = bestOf(tried, () => true)?.settings;
    if (settings === undefined) continue;
    const gain: ComparedKind<Leg>['gain'] = winner && {
      ...pairedDifference(winner.scores, scores, { seed: options.seed }),
      over: winner.kind,
    };
    compared.push({ kind, settings, ndcg: mean(scores), gain });
    if (winner === null || (gain !== null && gain.low > 0)) winner = { kind, settings, scores };
  }
  return winner && { kind: winner.kind, settings: winner.settings, compared };
}

function candidatesOf<Leg extends string>(names: readonly Leg[], depth: number): Record<FusionKind, Fusion<Leg>[]> {
  const weighted = (parts: readonly number[]): Record<Leg, number> =>
    Object.fromEntries(names.map((name, at) => [name, parts[at] ?? 0])) as Record<Leg, number>;
  const mixes = splits(PARTS, names.length).map((parts) => weighted(parts.map((part) => part / PARTS)));
  const usual = { method: 'rrf', k: USUAL_K, depth } as const;
  return {
    'single leg': names.map((_, leg) => ({ ...usual, weights: weighted(names.map((__, at) => (at === leg ? 1 : 0))) })),
    rrf: [{ ...usual, weights: weighted(names.map(() => 1)) }],
    'weighted rrf': KS.flatMap((k) => mixes.map((weights) => ({ ...usual, k, weights }))),
    scores: mixes.map((weights) => ({ ...usual, method: 'scores', weights })),
  };
}

/** Every way to write a number as so many that are at least 1. */
function splits(total: number, count: number): number[][] {
  if (count === 1) return [[total]];
  return Array.from({ length: total - count + 1 }, (_, n) => n + 1).flatMap((first) =>
    splits(total - first, count - 1).map((others) => [first, ...others]),
  );
}

function scoreOf<Leg extends string>({ legs, judgements }: JudgedLegs<Leg>, settings: Fusion<Leg>): number {
  const documents = new Map<string, string>();
  for (const hits of Object.values<JudgedLegs<Leg>['legs'][Leg]>(legs))
    for (const { key, document } of hits) documents.set(key, document);
  return ndcg(
    fuse(legs, settings).map(({ key }) => documents.get(key) ?? key),
    judgements,
  );
}

/** Of equally good ones the first. */
function bestOf<T extends { readonly scores: readonly number[] }>(
  tried: readonly T[],
  counts: (query: number) => boolean,
): T | null {
  let best: T | null = null;
  let most = Number.NEGATIVE_INFINITY;
  for (const one of tried) {
    const total = one.scores.reduce((sum, score, query) => (counts(query) ? sum + score : sum), 0);
    if (total > most) {
      best = one;
      most = total;
    }
  }
  return best;
}

/** The fold of each query: equally many in each, in an order that the seed shuffles. */
function foldsOf(count: number, seed: number): number[] {
  const random = seeded(seed);
  const order = Array.from({ length: count }, (_, query) => ({ query, at: random() })).sort((a, b) => a.at - b.at);
  const folds = new Array<number>(count).fill(0);
  for (const [place, { query }] of order.entries()) folds[query] = place % FOLDS;
  return folds;
}
