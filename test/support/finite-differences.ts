/** Holds the gradients of a graph against differences of its outputs. */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { seeded } from '../../domain/random.ts';
import { Graph } from '../../ml/graph/graph.ts';
import type { Shape, Tensor } from '../../ml/graph/tensor.ts';

export interface Differentiated {
  /** One parameter for each shape. */
  readonly shapes: readonly (readonly number[])[];
  /** Parameters from 0.5 to 2.5, for operators that are not smooth, or not there, at zero. */
  readonly positive?: boolean;
  /** The parameters' dimensions with names, as a graph for every batch has them. */
  readonly named?: readonly Shape[];
  readonly build: (graph: Graph, params: readonly Tensor[]) => Tensor;
}

/** Four evaluations along one number cancel all terms of the error below the fifth power of the distance. */
const DISTANCE = 1 / 32;
const STENCIL = [
  [1, 8],
  [-1, -8],
  [2, -1],
  [-2, 1],
] as const;

/** For each parameter, how far its gradient is from the differences: length of what is off over length of the whole. */
export async function gradientErrors(of: Differentiated): Promise<number[]> {
  const { shapes, named, positive, build } = of;
  const random = seeded(sizeOf(shapes.flat()) + shapes.length);
  const draw = (shape: readonly number[]): Float32Array =>
    Float32Array.from({ length: sizeOf(shape) }, () => (positive ? 0.5 + 2 * random() : 3 * random() - 1.5));
  const values = shapes.map(draw);

  const graph = new Graph();
  const params = shapes.map((shape, i) => graph.param(`x${i}`, named?.[i] ?? shape));
  const y = build(graph, params);
  graph.output('y', y);
  await using forward = await run(graph);
  const feeds = (at: readonly Float32Array[]) =>
    Object.fromEntries(at.map((data, i) => [`x${i}`, new OrtTensor(data, shapes[i] ?? [])]));
  const found = async (at: readonly Float32Array[]) => (await forward.session.run(feeds(at))).y as OrtTensor;

  const { dims } = await found(values);
  const weights = draw(dims);
  const both = new Graph();
  const twins = shapes.map((shape, i) => both.param(`x${i}`, named?.[i] ?? shape));
  const result = build(both, twins);
  const seed = both.input('seed', result.shape);
  for (const [i, gradient] of both.gradients(result, twins, seed).entries()) both.output(`dx${i}`, gradient);
  await using backward = await run(both);
  const gradients = await backward.session.run({ ...feeds(values), seed: new OrtTensor(weights, dims) });

  const errors: number[] = [];
  for (const [i, x] of values.entries()) {
    const { data, dims: shape } = gradients[`dx${i}`] as OrtTensor;
    if (String(shape) !== String(shapes[i])) throw new Error(`The gradient of [${shapes[i]}] has the shape [${shape}]`);
    let [off, whole] = [0, 0];
    for (const j of x.keys()) {
      const differences = new Float64Array(weights.length);
      for (const [steps, factor] of STENCIL) {
        const moved = x.slice();
        moved[j] = (x[j] as number) + steps * DISTANCE;
        // Summed here and not in the graph: what the number does not touch then cancels to the last bit.
        const terms = (await found(values.with(i, moved))).data as Float32Array;
        for (const k of differences.keys()) differences[k] = (differences[k] as number) + factor * (terms[k] as number);
      }
      const slope = differences.reduce((sum, d, k) => sum + d * (weights[k] as number), 0) / (12 * DISTANCE);
      off += (slope - ((data as Float32Array)[j] as number)) ** 2;
      whole += slope ** 2;
    }
    errors.push(Math.sqrt(off / whole));
  }
  return errors;
}

/** Whether an operator stands in what is built, as it is before it is differentiated. */
export function builds(operator: string, { shapes, named, build }: Differentiated): boolean {
  const graph = new Graph();
  const params = shapes.map((shape, i) => graph.param(`x${i}`, named?.[i] ?? shape));
  graph.output('y', build(graph, params));
  return Buffer.from(graph.toModel()).includes(`\x22${lengthPrefixed(operator)}`);
}

/** A node's field 4, its operator, as protobuf writes it: key, length, text. */
const lengthPrefixed = (text: string): string => String.fromCharCode(text.length) + text;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

const run = async (graph: Graph) => {
  const session = await InferenceSession.create(graph.toModel(), { logSeverityLevel: 3, intraOpNumThreads: 1 });
  return { session, [Symbol.asyncDispose]: () => session.release() };
};
