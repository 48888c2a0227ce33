/** A training step and its parts: losses, gradients, and where twenty steps lead. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoraLoss, TrainingExample, TrainingPlan } from '../../contracts/lora.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { tokenFeeds } from '../../ml/encoder/tokens.ts';
import { Graph } from '../../ml/graph/graph.ts';
import { loraShape, tensorShapes } from '../../ml/lora/shape.ts';
import { type WrittenTensors, writeSafetensors } from '../../ml/safetensors/write.ts';
import { type Feeds, openSession, type SessionChoice } from '../../ml/session/session.ts';
import { openTokenizer } from '../../ml/tokenizer/open.ts';
import { AdamW } from '../../ml/train/adamw.ts';
import { type Batch, batchOf, relevanceOf } from '../../ml/train/batch.ts';
import { clipping, normOf } from '../../ml/train/gradient.ts';
import { gradientName, wholeGraph } from '../../ml/train/graphs.ts';
import { lossFeeds } from '../../ml/train/loss-feeds.ts';
import { inBatchLoss, type ListLoss, listLoss } from '../../ml/train/losses.ts';
import { Layout } from '../../ml/train/parameters.ts';
import { learningRateAt } from '../../ml/train/schedule.ts';
import { inBatchTargets, listTargets } from '../../ml/train/targets.ts';
import {
  type Compared,
  configOf,
  factsOf,
  type References,
  relativeError,
  tensorsOf,
  under,
  worstOf,
} from './references.ts';
import { MAX_LENGTH } from './texts.ts';

type Triple = readonly [string, string, string];
interface AdapterFacts {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: string;
}
interface GradientFacts {
  readonly triples: readonly Triple[];
  readonly scale: number;
  readonly targets: string;
  readonly cases: readonly {
    readonly name: string;
    readonly rank: number;
    readonly alpha: number;
    readonly decomposed: boolean;
    readonly hard: boolean;
    readonly loss: number;
  }[];
}

export const PLAN: TrainingPlan = {
  ...{ component: 'encoder', side: 'both', loss: 'in-batch', steps: 1, batch: 6, learningRate: 0, warmup: 0 },
  ...{ decay: 'linear', weightDecay: 0, clip: 0, scale: 20, lengths: { query: MAX_LENGTH, document: MAX_LENGTH } },
  ...{ seed: 1, evaluateEvery: 0, checkpointEvery: 0, patience: 0, threads: 1, mode: 'fast' },
};

const examplesOf = (triples: readonly Triple[], hard: boolean): TrainingExample[] =>
  triples.map(([query, positive, negative]) => ({ query, positive, ...(hard ? { negatives: [negative] } : {}) }));

/** Runs a step's graph over batches of these examples, for an adapter whose numbers come with each run. */
async function stepOf(
  { model: folder }: References,
  choice: SessionChoice,
  plan: TrainingPlan,
  config: Parameters<typeof configOf>[0],
  examples: readonly TrainingExample[],
) {
  const model = openEncoder(folder);
  const tokenizer = openTokenizer(folder);
  const shape = loraShape(model, configOf(config));
  const layout = new Layout(tensorShapes(shape));
  const graph = wholeGraph({ model, shape, plan }).toModel();
  const session = await openSession(graph, folder, choice);
  const relevance = relevanceOf(examples);
  const batchFeeds = (rows: readonly number[]): Feeds => {
    const batch = batchOf(examples, relevance, Uint32Array.from(rows), 0);
    const texts = batch.texts.map(({ text }) => text);
    return { ...tokenFeeds(tokenizer.encode(texts, MAX_LENGTH)), ...lossFeeds(batch, plan, null) };
  };
  return {
    layout,
    graph,
    batchFeeds,
    close: () => session.close(),
    run: async (parameters: Float32Array, rows: readonly number[]) => {
      const found = await session.run({ ...batchFeeds(rows), ...layout.feeds(parameters) });
      const gradient = new Float32Array(layout.size);
      layout.fill(gradient, (name) => found[gradientName(name)]?.data);
      return { loss: found.loss?.data[0] ?? Number.NaN, gradient };
    },
  };
}

export async function gradients(references: References, choice: SessionChoice): Promise<Compared[]> {
  const { triples, scale, targets, cases } = factsOf<GradientFacts>(references, 'gradients');
  const expected = tensorsOf(references, 'gradients');
  const compared: Compared[] = [];
  for (const { name, hard, loss, ...adapter } of cases) {
    const step = await stepOf(
      references,
      choice,
      { ...PLAN, scale },
      { ...adapter, targets },
      examplesOf(triples, hard),
    );
    const start = under(expected, `${name}/start/`);
    const parameters = new Float32Array(step.layout.size);
    step.layout.fill(parameters, (key) => start[key]);
    const found = await step.run(parameters, [...triples.keys()]);
    await step.close();
    const error = worstOf(step.layout.views(found.gradient), under(expected, `${name}/gradient/`));
    compared.push({ what: `${name}: loss`, error: relativeError([found.loss], [loss]) });
    compared.push({ what: `${name}: gradient of each tensor`, error });
  }
  return compared;
}

interface TrainingFacts extends AdapterFacts {
  readonly triples: readonly Triple[];
  readonly plan: Pick<TrainingPlan, 'steps' | 'warmup' | 'learningRate' | 'weightDecay' | 'clip' | 'scale'>;
  readonly points: readonly {
    readonly rows: readonly number[];
    readonly loss: number;
    readonly learningRate: number;
    readonly gradientNorm: number;
  }[];
}

/** Each step starts where the last one led, so what is off adds up. */
export async function training(references: References, choice: SessionChoice): Promise<Compared[]> {
  const { triples, plan, points, ...adapter } = factsOf<TrainingFacts>(references, 'training');
  const expected = tensorsOf(references, 'training');
  const step = await stepOf(references, choice, { ...PLAN, ...plan }, adapter, examplesOf(triples, true));
  const start = under(expected, 'step-00/');
  const parameters = new Float32Array(step.layout.size);
  step.layout.fill(parameters, (key) => start[key]);
  const optimiser = new AdamW(step.layout.size, plan);
  const off = { loss: 0, 'learning rate': 0, 'gradient norm': 0, 'each tensor': 0 };
  const note = (what: keyof typeof off, error: number): void => {
    off[what] = Math.max(off[what], error);
  };
  for (const [n, { rows, ...point }] of points.entries()) {
    const { loss, gradient } = await step.run(parameters, rows);
    const norm = normOf(gradient);
    const rate = learningRateAt({ ...PLAN, ...plan }, n, plan.steps);
    optimiser.update(parameters, gradient, rate, clipping(norm, plan.clip));
    note('loss', relativeError([loss], [point.loss]));
    note('learning rate', relativeError([rate], [point.learningRate]));
    note('gradient norm', relativeError([norm], [point.gradientNorm]));
    const after = under(expected, `step-${String(n + 1).padStart(2, '0')}/`);
    note('each tensor', worstOf(step.layout.views(parameters), after));
  }
  await step.close();
  return Object.entries(off).map(([what, error]) => ({ what: `${points.length} steps: ${what}`, error }));
}

/**
 * A training graph as a file, for any ONNX Runtime: the graph, a batch with the adapter that it starts from, and what three steps
 * on that batch come to here. docs/examples/train-graph.py runs it.
 */
export async function writeTrainingGraph(references: References, choice: SessionChoice, folder: string): Promise<void> {
  const { triples, plan, points, ...adapter } = factsOf<TrainingFacts>(references, 'training');
  const step = await stepOf(references, choice, { ...PLAN, ...plan }, adapter, examplesOf(triples, true));
  const rows = points[0]?.rows ?? [];
  const start = under(tensorsOf(references, 'training'), 'step-01/');
  const parameters = new Float32Array(step.layout.size);
  step.layout.fill(parameters, (key) => start[key]);
  const tensors = { ...step.batchFeeds(rows), ...step.layout.tensors(parameters.slice()) };
  const first = await step.run(parameters, rows);
  const optimiser = new AdamW(step.layout.size, plan);
  const losses: number[] = [];
  for (let n = 0; n < 3; n++) {
    const { loss, gradient } = await step.run(parameters, rows);
    losses.push(loss);
    optimiser.update(parameters, gradient, plan.learningRate, clipping(normOf(gradient), plan.clip));
  }
  await step.close();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'training.onnx'), step.graph);
  writeSafetensors(join(folder, 'batch.safetensors'), tensors as WrittenTensors);
  writeSafetensors(join(folder, 'gradients.safetensors'), step.layout.tensors(first.gradient));
  const { rank, alpha } = adapter;
  writeFileSync(join(folder, 'training.json'), JSON.stringify({ ...plan, loraScale: alpha / rank, losses }));
}

interface LossFacts {
  readonly cases: readonly {
    readonly loss: LoraLoss;
    readonly scores: readonly (readonly number[])[];
    readonly grades?: readonly (readonly number[])[];
    /** Query and candidate that counts for nothing, of an in-batch loss. */
    readonly excluded?: readonly (readonly [number, number])[];
    readonly result: number;
    readonly gradients: readonly (readonly number[])[];
  }[];
}

export async function losses(references: References, choice: SessionChoice): Promise<Compared[]> {
  const compared: Compared[] = [];
  for (const { loss, scores, grades, excluded = [], result, gradients } of factsOf<LossFacts>(references, 'losses')
    .cases) {
    const width = Math.max(...scores.map(({ length }) => length));
    const graph = new Graph();
    const param = graph.param('scores', ['queries', 'list']);
    const value = grades ? listLoss(graph, loss as ListLoss, () => param) : inBatchLoss(graph, param);
    graph.output('loss', value);
    graph.output('gradient', graph.gradients(value, [param])[0] ?? param);
    const session = await openSession(graph.toModel(), references.folder, choice);
    const padded = (rows: readonly (readonly number[])[]) =>
      Float32Array.from(rows.flatMap((row) => Array.from({ length: width }, (_, n) => row[n] ?? 0)));
    const found = await session.run({
      scores: { type: 'float32', shape: [scores.length, width], data: padded(scores) },
      ...(grades ? listTargets(loss as ListLoss, listed(grades)) : inBatchTargets(crossed(scores, excluded))),
    });
    await session.close();
    const what = excluded.length > 0 ? `${loss}, less what is relevant too` : loss;
    compared.push({ what, error: relativeError(found.loss?.data ?? [], [result]) });
    compared.push({
      what: `${what}: gradient`,
      error: relativeError(found.gradient?.data ?? [], padded(gradients)),
    });
  }
  return compared;
}

const EMPTY = { step: 0, examples: new Uint32Array(), texts: [], queries: [], lists: [], grades: [] } as const;

/** A batch as far as a loss over lists asks for it. */
export const listed = (grades: readonly (readonly number[])[]): Batch => ({
  ...{ ...EMPTY, grades, isRelevant: () => false },
  lists: grades.map((list) => [...list.keys()]),
});

/** A batch of queries whose own positives are the first candidates. */
const crossed = (scores: readonly (readonly number[])[], excluded: readonly (readonly [number, number])[]): Batch => ({
  ...EMPTY,
  texts: Array.from({ length: scores[0]?.length ?? 0 }, (_, n) => ({ text: String(n), side: 'document' as const })),
  queries: [...scores.keys()],
  lists: scores.map((_, n) => [n]),
  isRelevant: (query, row) => query === row || excluded.some(([q, r]) => q === query && r === row),
});
