/** The norms of the rows of W + scale·B·A, without ever writing that matrix down. */
import { frozen } from '../encoder/frozen.ts';
import type { EncoderModel } from '../encoder/open.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import { readFloats } from '../safetensors/read.ts';
import type { LowRank } from './linear.ts';
import type { LoraLayer } from './shape.ts';

/** ‖w + s·b·A‖² = ‖w‖² + 2s·(w·Aᵀ)·b + s²·b·(A·Aᵀ)·b, for each row w of W and b of B. Constant for the backward pass. */
export function rowNorms(graph: Graph, model: EncoderModel, layer: LoraLayer, over: LowRank): Tensor {
  const [lower, upper] = [graph.stop(over.lower), graph.stop(over.upper)];
  const weight = frozen(graph, model, `${layer.module}.weight`);
  const squares = graph.constant(
    [layer.outputs],
    weightNorms(model, layer).map((norm) => norm ** 2),
  );
  const along = graph.matmul(weight, lower, { transB: true, alpha: 2 * over.scale });
  const between = graph.matmul(upper, graph.matmul(lower, lower, { transB: true, alpha: over.scale ** 2 }));
  const change = graph.sum(graph.mul(graph.add(along, between), upper), [1], false);
  return graph.sqrt(graph.add(change, squares));
}

/** ‖w‖ of each row of the base weight. */
export function weightNorms(model: EncoderModel, { module, inputs, outputs }: LoraLayer): Float32Array {
  const weight = readFloats(model.tensors.get(`${module}.weight`) as Parameters<typeof readFloats>[0]);
  return rowNormsOf(weight, outputs, inputs);
}

export function rowNormsOf(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += (matrix[i] as number) ** 2;
    return Math.sqrt(sum);
  });
}
