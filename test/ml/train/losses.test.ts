import { expect, onTestFinished, test } from 'vitest';
import type { TrainingExample } from '../../../contracts/lora.ts';
import { Graph } from '../../../ml/graph/graph.ts';
import type { Tensor } from '../../../ml/graph/tensor.ts';
import { type Feeds, openSession } from '../../../ml/session/session.ts';
import { batchOf, relevanceOf } from '../../../ml/train/batch.ts';
import { inBatchLoss, type ListLoss, listLoss } from '../../../ml/train/losses.ts';
import { inBatchTargets, listTargets } from '../../../ml/train/targets.ts';

const batch = (examples: readonly TrainingExample[], all = examples) =>
  batchOf(
    all,
    relevanceOf(all),
    Uint32Array.from(examples, (example) => all.indexOf(example)),
    0,
  );

/** Loss and gradient of scores. */
const evaluated = async (
  build: (g: Graph, scores: Tensor) => Tensor,
  columns: string,
  scores: number[][],
  feeds: Feeds,
) => {
  const g = new Graph();
  const param = g.param('scores', ['queries', columns]);
  const loss = build(g, param);
  g.output('loss', loss);
  g.output('gradient', g.gradients(loss, [param])[0] as Tensor);
  const session = await openSession(g.toModel(), '.', { provider: 'cpu', threads: 1, arena: false });
  onTestFinished(() => session.close());
  const run = async (rows: number[][]) => {
    const shape = [rows.length, rows[0]?.length ?? 0];
    const data = new Float32Array(rows.flat());
    const found = await session.run({ ...feeds, scores: { type: 'float32', shape, data } });
    return { loss: found.loss?.data[0] ?? Number.NaN, gradient: [...(found.gradient?.data ?? [])] };
  };
  return { ...(await run(scores)), run };
};
const inBatch = (scores: number[][], of: ReturnType<typeof batch>) =>
  evaluated(inBatchLoss, 'candidates', scores, inBatchTargets(of));
const list = (loss: ListLoss, scores: number[][], of: ReturnType<typeof batch>) =>
  evaluated((g, x) => listLoss(g, loss, () => x), 'list', scores, listTargets(loss, of));

const crossEntropy = (own: number, others: number[]): number =>
  Math.log([own, ...others].reduce((sum, score) => sum + Math.exp(score), 0)) - own;

test('in-batch: every other document of the batch is a negative, hard negatives too', async () => {
  const of = batch([
    { query: 'q1', positive: 'p1', negatives: ['n1'] },
    { query: 'q2', positive: 'p2' },
  ]);
  // Candidates stand as positives, then negatives.
  const { loss } = await inBatch(
    [
      [2, 0.5, 1],
      [0.2, 1, -1],
    ],
    of,
  );
  expect(loss).toBeCloseTo((crossEntropy(2, [0.5, 1]) + crossEntropy(1, [0.2, -1])) / 2, 5);
});

test('in-batch: a positive that stands in the batch twice is no negative of itself', async () => {
  const of = batch([
    { query: 'q1', positive: 'p' },
    { query: 'q2', positive: 'p' },
    { query: 'q3', positive: 'p3' },
  ]);
  expect(of.texts.map(({ text }) => text)).toEqual(['q1', 'q2', 'q3', 'p', 'p3']);
  const { loss } = await inBatch(
    [
      [1, 0],
      [2, 0],
      [0, 3],
    ],
    of,
  );
  expect(loss).toBeCloseTo((crossEntropy(1, [0]) + crossEntropy(2, [0]) + crossEntropy(3, [0])) / 3, 5);
});

test('in-batch: what another example, in the batch or not, calls relevant to a query is no negative of it', async () => {
  const first: TrainingExample = { query: 'q1', positive: 'p1' };
  const second: TrainingExample = { query: 'q2', positive: 'p2', negatives: ['n'] };
  const outside: TrainingExample = { query: 'q1', positive: 'n' };
  const twice: TrainingExample = { query: 'q1', positive: 'p2' };
  const { loss, gradient } = await inBatch(
    [
      [1, 9, 9],
      [0, 2, 0.5],
    ],
    batch([first, second], [first, second, outside, twice]),
  );
  expect(loss).toBeCloseTo((0 + crossEntropy(2, [0, 0.5])) / 2, 5);
  expect(gradient.slice(0, 3)).toEqual([0, 0, 0]);
});

test('in-batch: a hard negative with a grade is none', async () => {
  const of = batch([{ query: 'q1', positive: 'p1', negatives: ['n1', 'n2'], grades: [2, 1, 0] }]);
  expect((await inBatch([[1, 9, 0]], of)).loss).toBeCloseTo(crossEntropy(1, [0]), 5);
});

const graded = batch([
  { query: 'q1', positive: 'a', negatives: ['b', 'c'], grades: [2, 0, 1] },
  { query: 'q2', positive: 'd', negatives: ['e'] },
]);
const SCORES = [
  [0.3, 1.2, -0.4],
  [0.5, 0.1, 0],
];
const softplus = (x: number): number => Math.log(1 + Math.exp(x));

test('RankNet: the mean over the pairs of a list, then over the queries; padding is no document', async () => {
  const q1 = [1.2 - 0.3, -0.4 - 0.3, 1.2 + 0.4].map(softplus).reduce((sum, term) => sum + term, 0) / 3;
  const q2 = softplus(0.1 - 0.5);
  expect((await list('ranknet', SCORES, graded)).loss).toBeCloseTo((q1 + q2) / 2, 5);
});

test('LambdaRank: a pair weighs as much as NDCG changes where its documents change places', async () => {
  const log2 = Math.log2;
  const ideal1 = 3 / log2(2) + 1 / log2(3);
  // By score: b (grade 0), a (2), c (1).
  const discount = { a: 1 / log2(3), b: 1 / log2(2), c: 1 / log2(4) };
  const delta = (gain: number, x: number, y: number) => (gain * Math.abs(x - y)) / ideal1;
  const q1 =
    delta(3, discount.a, discount.b) * softplus(1.2 - 0.3) +
    delta(2, discount.a, discount.c) * softplus(-0.4 - 0.3) +
    delta(1, discount.c, discount.b) * softplus(1.2 + 0.4);
  const q2 = (1 - 1 / log2(3)) * softplus(0.1 - 0.5);
  expect((await list('lambdarank', SCORES, graded)).loss).toBeCloseTo((q1 + q2) / 2, 5);
});

test('LambdaRank: equal scores still have a gradient, towards the better document', async () => {
  const { gradient } = await list(
    'lambdarank',
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
    graded,
  );
  expect(gradient[0]).toBeLessThan(0);
  expect(gradient[1]).toBeGreaterThan(0);
});

test.each<ListLoss>(['cosine', 'mse'])(
  '%s: the mean of squares between scores and the grades of a teacher',
  async (loss) => {
    const squares = (0.3 - 2) ** 2 + 1.2 ** 2 + (-0.4 - 1) ** 2;
    const expected = (squares / 3 + ((0.5 - 1) ** 2 + 0.1 ** 2) / 2) / 2;
    expect((await list(loss, SCORES, graded)).loss).toBeCloseTo(expected, 5);
  },
);

test.each<ListLoss>(['ranknet', 'lambdarank', 'mse'])('the gradient of %s is the slope of the loss', async (loss) => {
  const { gradient, run } = await list(loss, SCORES, graded);
  for (const [at, slope] of gradient.entries()) {
    const moved = async (by: number): Promise<number> => {
      const scores = SCORES.map((row) => [...row]);
      const row = scores[Math.floor(at / 3)] as number[];
      row[at % 3] = (row[at % 3] ?? 0) + by;
      return (await run(scores)).loss;
    };
    expect(((await moved(1 / 64)) - (await moved(-1 / 64))) * 32).toBeCloseTo(slope, 3);
  }
});

test('the padding of a list gets no gradient', async () => {
  for (const loss of ['ranknet', 'lambdarank', 'mse'] as const) {
    expect((await list(loss, SCORES, graded)).gradient[5]).toBeCloseTo(0, 10);
  }
});
