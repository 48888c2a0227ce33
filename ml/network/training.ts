/**
 * Trains a small network: the same problem, plan and seed give the same parameters on the same machine.
 *
 * Runs hold the thread while they compute, a millisecond or so each; a longer training belongs in a thread of its own.
 */

import { PawlError } from '../../contracts/failures.ts';
import type { TrainingPlan } from '../../contracts/lora.ts';
import { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import { type Feeds, openSession } from '../session/session.ts';
import { AdamW } from '../train/adamw.ts';
import { clipping, normOf } from '../train/gradient.ts';
import { orderOf } from '../train/order.ts';
import { learningRateAt } from '../train/schedule.ts';
import { forward, type Network, type Part, parameterTensors, partsOf } from './network.ts';

export type NetworkPlan = Pick<
  TrainingPlan,
  'steps' | 'batch' | 'learningRate' | 'warmup' | 'decay' | 'weightDecay' | 'clip' | 'seed'
>;

/** What the network is to learn: a loss in the graph, and what it is fed for some of the examples. */
export interface Problem {
  readonly examples: number;
  loss(g: Graph, network: (x: Tensor) => Tensor): Tensor;
  feeds(examples: Uint32Array): Feeds;
}

export interface Trained {
  readonly network: Network;
  readonly losses: readonly number[];
}

export const ON_ONE_THREAD = { provider: 'cpu', threads: 1, arena: true } as const;

export async function trainNetwork(start: Network, problem: Problem, plan: NetworkPlan): Promise<Trained> {
  const parts = partsOf(start.shape);
  const session = await openSession(trainingGraph(start, problem, parts), '.', ON_ONE_THREAD);
  const parameters = start.parameters.slice();
  const gradient = new Float32Array(parameters.length);
  const optimiser = new AdamW(parameters.length, plan);
  const batchAt = orderOf({ examples: problem.examples, ...plan });
  const losses: number[] = [];
  try {
    for (let step = 0; step < plan.steps; step++) {
      const feeds = { ...problem.feeds(batchAt(step)), ...fedParts(parts, parameters) };
      const fetched = await session.run(feeds);
      for (const { name, from } of parts) gradient.set(fetched[gradientOf(name)]?.data ?? [], from);
      const loss = fetched.loss?.data[0] ?? Number.NaN;
      const norm = normOf(gradient);
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw notANumber(step, loss, norm);
      losses.push(loss);
      optimiser.update(parameters, gradient, learningRateAt(plan, step, plan.steps), clipping(norm, plan.clip));
    }
  } finally {
    await session.close();
  }
  return { network: { shape: start.shape, parameters }, losses };
}

const gradientOf = (name: string): string => `gradient of ${name}`;

function trainingGraph({ shape }: Network, problem: Problem, parts: readonly Part[]): Uint8Array {
  const g = new Graph();
  const tensors = parameterTensors(g, shape);
  const loss = problem.loss(g, (x) => forward(g, shape, tensors, x));
  for (const [at, slope] of g.gradients(loss, tensors).entries()) g.output(gradientOf(parts[at]?.name ?? ''), slope);
  g.output('loss', loss);
  return g.toModel();
}

const fedParts = (parts: readonly Part[], parameters: Float32Array): Feeds =>
  Object.fromEntries(
    parts.map(({ name, shape, from, to }) => [
      name,
      { type: 'float32', shape, data: parameters.subarray(from, to) } as const,
    ]),
  );

const notANumber = (step: number, loss: number, norm: number): PawlError =>
  new PawlError('ConfigInvalid', `Step ${step} of the network has the loss ${loss} and a gradient of length ${norm}.`, {
    hint: 'Lower the learning rate, or look for features that are not numbers.',
  });
