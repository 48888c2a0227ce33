/** A model's weights in a graph: where they lie on the disk, each once, however many encoders the graph runs. */
import { basename } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import { readFloats } from '../safetensors/read.ts';
import type { EncoderModel } from './open.ts';

/** Forgotten with the graph itself. */
const inGraph = new WeakMap<Graph, Map<string, Tensor>>();

export function frozen(graph: Graph, model: EncoderModel, name: string): Tensor {
  const known = inGraph.get(graph) ?? new Map<string, Tensor>();
  inGraph.set(graph, known);
  const tensor = known.get(name) ?? added(graph, model, name);
  known.set(name, tensor);
  return tensor;
}

/** Half precision is widened into the graph; there is nothing in the file that could be read as it lies. */
const added = (graph: Graph, model: EncoderModel, name: string): Tensor => {
  const stored = model.tensors.get(name);
  if (!stored) throw new PawlError('Internal', `${model.folder} has no tensor ${name}`);
  const { dtype, shape, file, offset, length } = stored;
  if (dtype === 'F32') return graph.external(name, shape, { file: basename(file), offset, length });
  return graph.constant(shape, readFloats(stored), 'float32', name);
};
