/** A learned fusion: a small network that orders the candidates of a search by their features, trained on NDCG itself. */
import type { Graph } from '../graph/graph.ts';
import { loadNetwork, saveNetwork } from '../network/file.ts';
import { openNetwork } from '../network/inference.ts';
import { type Layer, type Network, newNetwork } from '../network/network.ts';
import { tableOf } from '../network/problems.ts';
import { foldScale, scaled, scaleOf } from '../network/scale.ts';
import { type NetworkPlan, type Problem, trainNetwork } from '../network/training.ts';
import type { Batch } from '../train/batch.ts';
import { listLoss } from '../train/losses.ts';
import { listTargets } from '../train/targets.ts';
import type { Candidates } from './candidates.ts';
import { FEATURES } from './features.ts';

/** Candidates of one query, with what each of them is worth. */
export interface GradedList {
  readonly features: Candidates['features'];
  readonly grades: readonly number[];
}

/** Layers between the features and the score; none is a weighted sum. */
export interface FusionPlan extends NetworkPlan {
  readonly hidden: readonly Layer[];
  readonly loss: 'ranknet' | 'lambdarank';
}

export async function trainFusion(lists: readonly GradedList[], plan: FusionPlan): Promise<Network> {
  // A list without a difference in it has nothing to teach.
  const telling = lists.filter(({ grades }) => new Set(grades).size > 1);
  const scale = scaleOf(tableOf(telling.flatMap(({ features }) => features)));
  const atScale = telling.map(({ features, grades }) => {
    const { data, columns } = scaled(tableOf(features), scale);
    return { data, columns, grades };
  });
  const start = newNetwork(
    { inputs: FEATURES.length, layers: [...plan.hidden, { outputs: 1, activation: 'none' }] },
    plan.seed,
  );
  const { network } = await trainNetwork(start, ranking(atScale, plan.loss), {
    ...plan,
    batch: Math.min(plan.batch, atScale.length),
  });
  return foldScale(network, scale);
}

interface ScaledList {
  readonly data: Float32Array;
  readonly columns: number;
  readonly grades: readonly number[];
}

const ranking = (lists: readonly ScaledList[], loss: FusionPlan['loss']): Problem => ({
  examples: lists.length,
  loss: (g: Graph, network) => {
    const features = g.input('features', ['queries', 'list', FEATURES.length]);
    const rows = network(g.reshape(features, ['rows', FEATURES.length]));
    return listLoss(g, loss, () => g.reshape(rows, ['queries', 'list']));
  },
  feeds: (examples) => {
    const taken = [...examples].flatMap((at) => lists[at] ?? []);
    const grades = taken.map((list) => list.grades);
    const length = Math.max(...grades.map((own) => own.length));
    const data = new Float32Array(taken.length * length * FEATURES.length);
    for (const [at, list] of taken.entries()) data.set(list.data, at * length * FEATURES.length);
    const places = { lists: grades.map((own) => [...own.keys()]), grades };
    return {
      features: { type: 'float32', shape: [taken.length, length, FEATURES.length], data },
      ...listTargets(loss, places as unknown as Batch),
    };
  },
});

export interface OpenFusion {
  /** Of each candidate, by its features. */
  scores(features: Candidates['features']): Promise<Float32Array>;
  /** Rows of the corpus, best first; of equal scores the first of the corpus comes first. */
  rank(candidates: Candidates): Promise<number[]>;
  close(): Promise<void>;
}

export async function openFusion(network: Network): Promise<OpenFusion> {
  const opened = await openNetwork(network);
  const scores = async (features: Candidates['features']): Promise<Float32Array> =>
    features.length === 0 ? new Float32Array() : (await opened.outputs(tableOf(features))).data;
  return {
    scores,
    rank: async ({ rows, features }) => {
      const data = await scores(features);
      return rows
        .map((row, at) => ({ row, score: data[at] ?? 0 }))
        .sort((a, b) => b.score - a.score || a.row - b.row)
        .map(({ row }) => row);
    },
    close: () => opened.close(),
  };
}

export const saveFusion = (path: string, network: Network): void => saveNetwork(path, network, FEATURES);
export const loadFusion = (path: string): Network => loadNetwork(path, FEATURES);
