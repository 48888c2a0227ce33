/**
 * A learned fusion over one fold: which network it is, and for how long it learns, is chosen by cross-validation among the
 * training queries; the fold's own queries are asked once, in the end.
 */
import { folds } from '../../domain/held-out.ts';
import { mean } from '../../domain/intervals.ts';
import { type JudgedQuery, ndcg } from '../../domain/rank-metrics.ts';
import type { Network } from '../../ml/network/network.ts';
import {
  type Candidates,
  candidatesOf,
  fusedWithoutLearning,
  type SearchableCorpus,
} from '../../ml/rerank/candidates.ts';
import { type FusionPlan, openFusion, trainFusion } from '../../ml/rerank/fusion.ts';

/** A judged query with the candidates of its first stage. */
export interface Searched {
  readonly query: JudgedQuery;
  readonly candidates: Candidates;
}

const DEPTH = 25;
const INNER_FOLDS = 3;

const PLAN: FusionPlan = {
  ...{ hidden: [], loss: 'lambdarank', steps: 80, batch: 32, learningRate: 0.03 },
  ...{ warmup: 5, decay: 'linear', weightDecay: 0.01, clip: 1, seed: 1 },
};
const GELU = { outputs: 8, activation: 'gelu' } as const;
/** The simplest first: another one has to be better. */
const CHOICES: Readonly<Record<string, Partial<FusionPlan>>> = {
  'a weighted sum': {},
  'a weighted sum, pairs': { loss: 'ranknet' },
  'a hidden layer': { hidden: [GELU], learningRate: 0.01, weightDecay: 0.1 },
};

export const searchedBy = (
  corpus: SearchableCorpus,
  queries: readonly (JudgedQuery & { readonly tokens: readonly string[]; readonly vector: Float32Array })[],
): Searched[] => queries.map((query) => ({ query, candidates: candidatesOf(corpus, query, DEPTH) }));

export interface FusedFold {
  readonly chosen: string;
  readonly learned: readonly number[];
  readonly unlearned: readonly number[];
}

export async function fuse(
  ids: readonly string[],
  train: readonly Searched[],
  test: readonly Searched[],
  seed: number,
): Promise<FusedFold> {
  const { name, plan } = await choose(ids, train, seed);
  const network = await trainFusion(gradedBy(ids, train), plan);
  return {
    chosen: name,
    learned: await scoresOf(ids, network, test),
    unlearned: test.map((one) => scoreOf(ids, one, fusedWithoutLearning(one.candidates))),
  };
}

async function choose(ids: readonly string[], train: readonly Searched[], seed: number) {
  const inner = folds(
    train.map((one) => ({ ...one, id: one.query.id })),
    INNER_FOLDS,
    seed,
  );
  const tried: Array<{ name: string; plan: FusionPlan; score: number }> = [];
  for (const [name, changes] of Object.entries(CHOICES)) {
    const plan = { ...PLAN, ...changes, seed };
    const scores: number[] = [];
    for (const held of inner) {
      const network = await trainFusion(gradedBy(ids, inner.filter((fold) => fold !== held).flat()), plan);
      scores.push(...(await scoresOf(ids, network, held)));
    }
    tried.push({ name, plan, score: mean(scores) });
  }
  return tried.reduce((best, other) => (other.score > best.score ? other : best));
}

const gradedBy = (ids: readonly string[], searched: readonly Searched[]) =>
  searched.map(({ query: { judgements }, candidates: { rows, features } }) => ({
    features,
    grades: rows.map((row) => Math.max(0, judgements[ids[row] ?? ''] ?? 0)),
  }));

async function scoresOf(ids: readonly string[], network: Network, searched: readonly Searched[]): Promise<number[]> {
  const fusion = await openFusion(network);
  try {
    const scores: number[] = [];
    for (const one of searched) scores.push(scoreOf(ids, one, await fusion.rank(one.candidates)));
    return scores;
  } finally {
    await fusion.close();
  }
}

const scoreOf = (ids: readonly string[], { query }: Searched, rows: readonly number[]): number =>
  ndcg(
    rows.map((row) => ids[row] ?? ''),
    query.judgements,
  );
