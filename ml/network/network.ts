/**
 * A feed-forward network: layers of a weight, a bias and an activation. All its parameters lie in one array, weight and
 * bias of the first layer first, so that the optimiser walks over them once.
 */
import { seeded } from '../../domain/random.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';

export const ACTIVATIONS = ['none', 'relu', 'gelu', 'tanh', 'sigmoid'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export interface Layer {
  readonly outputs: number;
  readonly activation: Activation;
}
export interface NetworkShape {
  readonly inputs: number;
  readonly layers: readonly Layer[];
}
export interface Network {
  readonly shape: NetworkShape;
  readonly parameters: Float32Array;
}

/** Where a layer's weight or bias lies among the parameters. */
export interface Part {
  readonly name: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

export function partsOf({ inputs, layers }: NetworkShape): Part[] {
  const parts: Part[] = [];
  const add = (name: string, shape: readonly number[]) => {
    const from = parts.at(-1)?.to ?? 0;
    parts.push({ name, shape, from, to: from + shape.reduce((product, size) => product * size, 1) });
  };
  for (const [at, { outputs }] of layers.entries()) {
    add(`layers.${at}.weight`, [outputs, layers[at - 1]?.outputs ?? inputs]);
    add(`layers.${at}.bias`, [outputs]);
  }
  return parts;
}

/** Weights uniform within √(6 / (in + out)) (Glorot and Bengio 2010), biases 0. */
export function newNetwork(shape: NetworkShape, seed: number): Network {
  const random = seeded(seed);
  const parts = partsOf(shape);
  const parameters = new Float32Array(parts.at(-1)?.to ?? 0);
  for (const { shape: size, from, to } of parts) {
    const [outputs, inputs] = size;
    if (outputs === undefined || inputs === undefined) continue;
    const bound = Math.sqrt(6 / (inputs + outputs));
    for (let at = from; at < to; at++) parameters[at] = (2 * random() - 1) * bound;
  }
  return { shape, parameters };
}

/** The parameters as inputs of a graph: with a gradient where they are to be trained. */
export const parameterTensors = (g: Graph, shape: NetworkShape): Tensor[] =>
  partsOf(shape).map((part) => g.param(part.name, part.shape));

/** The parameters as they are, in the graph's file. */
export const constantTensors = (g: Graph, { shape, parameters }: Network): Tensor[] =>
  partsOf(shape).map(({ name, shape: size, from, to }) =>
    g.constant(size, parameters.slice(from, to), 'float32', name),
  );

/** x [rows, inputs] → [rows, outputs of the last layer]. */
export function forward(g: Graph, { layers }: NetworkShape, tensors: readonly Tensor[], x: Tensor): Tensor {
  return layers.reduce((input, { activation }, at) => {
    const [weight, bias] = [tensors[2 * at], tensors[2 * at + 1]];
    if (!weight || !bias) throw new RangeError(`layer ${at} has no weight and bias among ${tensors.length} tensors`);
    const sums = g.linear(input, weight, bias);
    return activation === 'none' ? sums : g[activation](sums);
  }, x);
}
