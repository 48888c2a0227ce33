import { truncateSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import type { LoraLoss, LossPoint, TrainingPlan } from '../../../contracts/lora.ts';
import { latestCheckpoint } from '../../../ml/train/checkpoint.ts';
import type { Trainer } from '../../../ml/train/trainer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tinyModel } from '../../support/tiny-model.ts';
import { type TinyTraining, tinyConfig, tinyExamples, tinyTrainer } from '../../support/training.ts';

const opened = async (options: TinyTraining = {}): Promise<Trainer> => {
  const trainer = await tinyTrainer(options);
  onTestFinished(() => trainer.close());
  return trainer;
};
const steps = async (trainer: Trainer, count: number): Promise<LossPoint[]> => {
  const points: LossPoint[] = [];
  for (let n = 0; n < count; n++) points.push(await trainer.step());
  return points;
};
const numbers = (trainer: Trainer): Float32Array[] => [...trainer.adapter().tensors.values()].map(({ data }) => data);

test.each<LoraLoss>(['in-batch', 'ranknet', 'lambdarank', 'cosine', 'mse'])(
  'the loss %s of an encoder falls',
  async (loss) => {
    const points = await steps(await opened({ plan: { loss } }), 12);
    expect(points.at(-1)?.loss).toBeLessThan((points[0]?.loss ?? 0) * 0.9);
  },
);

test.each<LoraLoss>(['ranknet', 'lambdarank', 'mse'])('the loss %s of a reranker falls', async (loss) => {
  const points = await steps(await opened({ plan: { loss, component: 'reranker' } }), 12);
  expect(points.at(-1)?.loss).toBeLessThan((points[0]?.loss ?? 0) * 0.9);
});

test('an adapter on queries alone is trained against documents that keep their vectors', async () => {
  const points = await steps(await opened({ plan: { side: 'query' } }), 12);
  expect(points.at(-1)?.loss).toBeLessThan((points[0]?.loss ?? 0) * 0.95);
});

test.each<[string, Partial<TrainingPlan>]>([
  ['in-batch negatives', {}],
  ['in-batch negatives, on queries alone', { side: 'query' }],
  ['LambdaRank', { loss: 'lambdarank' }],
  ['a reranker', { component: 'reranker', loss: 'ranknet' }],
])('micro-batches have the loss and the gradient of the whole batch: %s', async (_, plan) => {
  const folder = tinyModel(temporaryFolder());
  const [whole, ...parts] = await Promise.all(
    [6, 2, 1].map(async (microBatch) => {
      const trainer = await opened({ folder, plan: { ...plan, microBatch, clip: 0, warmup: 0 } });
      const points = await steps(trainer, 2);
      return { points, gradients: Object.values(trainer.gradients()).flatMap((gradient) => [...gradient]) };
    }),
  );
  for (const part of parts) {
    for (const n of [0, 1]) {
      expect(part.points[n]?.loss).toBeCloseTo(whole?.points[n]?.loss ?? 0, 4);
      expect((part.points[n]?.gradientNorm ?? 0) / (whole?.points[n]?.gradientNorm ?? 0)).toBeCloseTo(1, 4);
    }
    expect(apart(part.gradients, whole?.gradients ?? [])).toBeLessThan(1e-5);
  }
});

test.each<[string, Partial<TinyTraining>]>([
  ['an encoder with dropout', { config: { ...tinyConfig, dropout: 0.2 } }],
  ['micro-batches with dropout', { config: { ...tinyConfig, dropout: 0.2 }, plan: { microBatch: 2 } }],
  ['a reranker', { plan: { component: 'reranker', loss: 'lambdarank' } }],
  ['queries alone', { plan: { side: 'query' } }],
])('a resumed run equals an unbroken one, bit for bit: %s', async (_, options) => {
  const [folder, checkpoints] = [tinyModel(temporaryFolder()), temporaryFolder()];
  const unbroken = await opened({ ...options, folder });
  const losses = await steps(unbroken, 7);

  const first = await opened({ ...options, folder });
  await steps(first, 3);
  first.evaluated(0.5);
  first.save(checkpoints);
  await steps(first, 2); // lost: the worker died before it saved again
  const second = await opened({ ...options, folder, from: checkpoints });
  expect(second.steps).toBe(3);
  expect(second.notes).toEqual([]);
  expect(await steps(second, 4)).toEqual(losses.slice(3));
  expect(numbers(second)).toEqual(numbers(unbroken));
  expect(second.progress).toEqual({ best: 0.5, bestStep: 3, without: 0 });
});

test.each<[string, Partial<TrainingPlan>]>([
  ['an encoder', {}],
  ['a reranker', { component: 'reranker', loss: 'ranknet' }],
])('a step that is given up between two micro-batches changes nothing, and is taken again: %s', async (_, plan) => {
  const options = { folder: tinyModel(temporaryFolder()), plan: { ...plan, microBatch: 2 } };
  const undisturbed = await steps(await opened(options), 3);
  let left = Number.POSITIVE_INFINITY;
  const onPart = (): void => {
    if (--left < 0) throw new Error('enough');
  };
  const trainer = await opened({ ...options, onPart });
  await steps(trainer, 1);
  left = 1;
  await expect(trainer.step()).rejects.toThrow('enough');
  expect(trainer.steps).toBe(1);
  left = Number.POSITIVE_INFINITY;
  expect(await steps(trainer, 2)).toEqual(undisturbed.slice(1));
});

test('the same seed trains the same adapter, and another one another', async () => {
  const folder = tinyModel(temporaryFolder());
  const config = { ...tinyConfig, dropout: 0.2 };
  const [one, same, other] = await Promise.all(
    [7, 7, 8].map(async (seed) => steps(await opened({ folder, config, plan: { seed } }), 2)),
  );
  expect(same).toEqual(one);
  expect(other?.[0]?.loss).not.toBe(one?.[0]?.loss);
});

test('a damaged checkpoint is passed over for the one before it, and that is told', async () => {
  const [folder, checkpoints] = [tinyModel(temporaryFolder()), temporaryFolder()];
  const trainer = await opened({ folder });
  await steps(trainer, 1);
  trainer.save(checkpoints);
  await steps(trainer, 1);
  truncateSync(trainer.save(checkpoints), 1000);
  const resumed = await opened({ folder, from: checkpoints });
  expect(resumed.steps).toBe(1);
  expect(resumed.notes).toEqual([expect.stringMatching(/step-00000002.*Step 1 was taken instead\.$/)]);
});

test('a checkpoint of another training is refused with what differs; the threads may, and that is told', async () => {
  const [folder, from] = [tinyModel(temporaryFolder()), temporaryFolder()];
  const trainer = await opened({ folder });
  trainer.save(from);
  await expect(opened({ folder, from, plan: { learningRate: 1 } })).rejects.toThrow(
    'plan.learningRate was 0.01 and is 1',
  );
  await expect(opened({ folder, from, config: { ...tinyConfig, alpha: 1 } })).rejects.toThrow('config.alpha was 8');
  await expect(opened({ folder, from, examples: tinyExamples.slice(1) })).rejects.toThrow(/examples was/);
  await expect(opened({ from, folder: tinyModel(temporaryFolder(), { seed: 2 }) })).rejects.toThrow(/base was/);
  expect((await opened({ folder, from, plan: { threads: 2 } })).notes).toEqual([
    expect.stringMatching(/threads was 1/),
  ]);
});

test('the best adapter is the one of the best evaluation, also after a resumption', async () => {
  const [folder, checkpoints] = [tinyModel(temporaryFolder()), temporaryFolder()];
  const trainer = await opened({ folder, plan: { patience: 2 } });
  await steps(trainer, 1);
  expect(trainer.evaluated(0.6)).toEqual({ isBest: true, stop: false });
  const best = numbers(trainer);
  await steps(trainer, 1);
  expect(trainer.evaluated(0.5)).toEqual({ isBest: false, stop: false });
  trainer.save(checkpoints);
  const resumed = await opened({ folder, plan: { patience: 2 }, from: checkpoints });
  await steps(resumed, 1);
  expect(resumed.evaluated(0.5)).toEqual({ isBest: false, stop: true });
  expect([...resumed.best().tensors.values()].map(({ data }) => data)).toEqual(best);
  expect(numbers(resumed)).not.toEqual(best);
});

test('an adapter that was taken does not change with the next step', async () => {
  const trainer = await opened();
  await steps(trainer, 1);
  const taken = numbers(trainer);
  const before = taken.map((data) => data.slice());
  await steps(trainer, 1);
  expect(taken).toEqual(before);
});

test('a loss that is no number stops training, names the batch, and changes nothing', async () => {
  const [folder, checkpoints] = [tinyModel(temporaryFolder()), temporaryFolder()];
  const trainer = await opened({ folder, plan: { learningRate: 1e30, clip: 0, warmup: 0, decay: 'none' } });
  await steps(trainer, 1);
  trainer.save(checkpoints);
  const before = numbers(trainer);
  const failure = await trainer.step().catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'PawlError', type: 'ConfigInvalid', step: 1 });
  const { examples, message } = failure as { examples: number[]; message: string };
  expect(new Set(examples).size).toBe(6);
  expect(message).toMatch(
    /^The (loss|gradient) of step 2 is (NaN|-?Infinity)\. Its batch was the examples \d+(, \d+){5}\./,
  );
  expect(numbers(trainer)).toEqual(before);
  expect(trainer.steps).toBe(1);
  expect(latestCheckpoint(checkpoints).about.step).toBe(1);
});

test('a gradient that is no number stops training too, though the loss is one', async () => {
  // A new adapter changes nothing, so its factor is in the gradient and not in the loss.
  const trainer = await opened({ plan: { loss: 'mse', scale: 1e19 }, config: { ...tinyConfig, alpha: 8e4 } });
  const before = numbers(trainer);
  await expect(trainer.step()).rejects.toThrow(/^The gradient of step 1 is (NaN|Infinity)\./);
  expect(numbers(trainer)).toEqual(before);
});

test.each<[string, TinyTraining, RegExp]>([
  ['no examples', { examples: [] }, /no example to train on/],
  ['a batch larger than the data', { plan: { batch: 13 } }, /A batch is 13 examples, and there are 12/],
  ['a reranker with in-batch negatives', { plan: { component: 'reranker' } }, /a reranker has none/],
  ['a batch of one', { plan: { batch: 1 } }, /no negatives in it/],
  ['half a batch', { plan: { batch: 2.5 } }, /must be whole numbers above 0/],
])('%s: refused before anything is computed', async (_, options, message) => {
  await expect(opened(options)).rejects.toThrow(message);
});

test('a batch that memory does not hold is refused with what to change, and fits in smaller parts', async () => {
  const left = () => 700_000;
  const whole = await opened({ memory: left });
  await expect(whole.step()).rejects.toMatchObject({
    message: expect.stringMatching(/does not hold 6 examples at once\. \d+ texts of up to \d+ tokens need about/),
    hint: expect.stringContaining('microBatch below 6'),
  });
  const parts = await opened({ memory: left, plan: { microBatch: 1 } });
  await expect(parts.step()).resolves.toMatchObject({ step: 1 });
});

/** Length of the difference over length of the whole. */
const apart = (one: readonly number[], other: readonly number[]): number => {
  const difference = one.map((value, i) => value - (other[i] ?? 0));
  return Math.hypot(...difference) / Math.hypot(...other);
};
