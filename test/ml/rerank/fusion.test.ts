import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mean } from '../../../domain/intervals.ts';
import { seeded } from '../../../domain/random.ts';
import { ndcg } from '../../../domain/rank-metrics.ts';
import { type Candidates, candidatesOf, fusedWithoutLearning, searchable } from '../../../ml/rerank/candidates.ts';
import { FEATURES } from '../../../ml/rerank/features.ts';
import { type FusionPlan, loadFusion, openFusion, saveFusion, trainFusion } from '../../../ml/rerank/fusion.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const words = (text: string): string[] => text.split(' ');
const corpus = searchable({
  tokens: ['wing lift wing', 'heat flow in slabs', 'flow over a wing', 'slabs of heat', 'nothing'].map(words),
  titles: ['wing', 'heat', '', 'heat slabs', ''].map(words),
  vectors: { dimensions: 2, data: Float32Array.from([1, 0, 0, 1, 0.6, 0.8, 0.1, 0.9, -1, 0]) },
});
const about = (text: string, ...vector: number[]) => ({ tokens: words(text), vector: Float32Array.from(vector) });
const feature = (name: (typeof FEATURES)[number], { rows, features }: Candidates, row: number): number | undefined =>
  features[rows.indexOf(row)]?.[FEATURES.indexOf(name)];

test('candidates are the first of the search by words and of the search by meaning', () => {
  expect(candidatesOf(corpus, about('lift', 0, 1), 1).rows).toEqual([0, 1]);
  expect(candidatesOf(corpus, about('heat slabs', 0, 1), 2).rows).toEqual([1, 3]);
});

test('a feature says what its name says', () => {
  const found = candidatesOf(corpus, about('heat slabs', 0, 1), 5);
  expect(found.rows).toEqual([0, 1, 2, 3, 4]);
  expect(feature('rank by words', found, 3)).toBe(0);
  expect(feature('score by words, of the best', found, 3)).toBe(1);
  expect(feature('in the search by words', found, 2)).toBe(0);
  expect(feature('rank by words', found, 2)).toBeCloseTo(Math.log(6));
  expect(feature('score by meaning', found, 2)).toBeCloseTo(0.8);
  expect(feature('score by meaning, below the best', found, 2)).toBeCloseTo(0.2);
  expect(feature('rank by meaning', found, 3)).toBeCloseTo(Math.log(2));
  // The first four are 1, 3, 2 and 0; 1 itself does not count.
  expect(feature('likeness to the first places', found, 1)).toBeCloseTo((0.9 + 0.8 + 0) / 3);
  expect(feature('both ranks fused', found, 3)).toBeCloseTo(60 / 61 + 60 / 62);
  expect(feature('words in common', found, 1)).toBe(1);
  expect(feature('rare words in common', found, 1)).toBe(1);
  expect(feature('rare words in common', found, 2)).toBe(0);
  expect(feature('words in the title', found, 1)).toBe(0.5);
  expect(feature('pairs of words in common', found, 1)).toBe(0);
  expect(feature('length of the text', found, 4)).toBeCloseTo(Math.log(2));
});

test('a query without a known word is still searched by its meaning', () => {
  const found = candidatesOf(corpus, about('aeroelastic', 1, 0), 1);
  expect(found.rows).toEqual([0]);
  expect(found.features[0]?.every(Number.isFinite)).toBe(true);
});

test('without learning, the one that both searches place well comes first', () => {
  expect(fusedWithoutLearning(candidatesOf(corpus, about('heat slabs', 0, 1), 5)).slice(0, 2)).toEqual([1, 3]);
  expect(fusedWithoutLearning(candidatesOf(corpus, about('wing lift', 1, 0), 5)).at(0)).toBe(0);
});

/** What matters here is that a document scores high by words and is not long: no single feature says so. */
const lists = (count: number, seed: number) => {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, n) => {
    // As many candidates as a query happens to have.
    const features = Array.from({ length: 10 + (n % 7) }, () => FEATURES.map((_, at) => 100 * at + random()));
    const worth = features.map(
      (own) => (own[0] ?? 0) - ((own[FEATURES.length - 1] ?? 0) - 100 * (FEATURES.length - 1)),
    );
    return { features, grades: worth.map((value) => (value > 0.5 ? 2 : value > 0.3 ? 1 : 0)) };
  });
};
const PLAN: FusionPlan = {
  ...{ hidden: [], loss: 'lambdarank', steps: 150, batch: 16, learningRate: 0.03 },
  ...{ warmup: 0, decay: 'linear', weightDecay: 0.01, clip: 1, seed: 1 },
};
const scoreOf = async (network: Parameters<typeof openFusion>[0]): Promise<number> => {
  const fusion = await openFusion(network);
  const scores: number[] = [];
  for (const { features, grades } of lists(30, 2).filter(({ grades }) => grades.some(Boolean))) {
    const ranked = await fusion.rank({ rows: features.map((_, row) => row), features });
    scores.push(ndcg(ranked.map(String), Object.fromEntries(grades.entries())));
  }
  await fusion.close();
  return mean(scores);
};

test.each([
  ['a weighted sum', [], 'lambdarank'],
  ['a hidden layer', [{ outputs: 8, activation: 'gelu' }], 'lambdarank'],
  ['pairs alone', [], 'ranknet'],
] as const)('%s learns to order lists that it never saw', async (_, hidden, loss) => {
  const before = await trainFusion(lists(60, 1), { ...PLAN, hidden, loss, steps: 1, learningRate: 0 });
  expect(await scoreOf(before)).toBeLessThan(0.85);
  const network = await trainFusion(lists(60, 1), { ...PLAN, hidden, loss });
  expect(await scoreOf(network)).toBeGreaterThan(0.95);
});

test('lists without a difference teach nothing and do no harm', async () => {
  const useless = lists(10, 3).map(({ features, grades }) => ({ features, grades: grades.map(() => 0) }));
  const network = await trainFusion([...useless, ...lists(60, 1)], PLAN);
  expect(network).toEqual(await trainFusion(lists(60, 1), PLAN));
});

test('a fusion ranks after it was saved as it ranked before', async () => {
  const path = join(temporaryFolder(), 'fusion.safetensors');
  const network = await trainFusion(lists(60, 1), PLAN);
  saveFusion(path, network);
  expect(loadFusion(path)).toEqual(network);
});
