/** A bi-encoder: texts in, embeddings out. */
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import { loraLinear } from '../lora/linear.ts';
import type { LoraShape } from '../lora/shape.ts';
import { tokenStates } from './layers.ts';
import type { EncoderModel } from './open.ts';
import { pooled } from './pool.ts';
import type { TokenInputs } from './tokens.ts';

export interface EncoderOptions {
  /** Absent: the base model, frozen, of which no backward pass is made. */
  readonly adapter?: LoraShape;
  /** Whether the adapter's tensors are parameters, and its dropout drops. */
  readonly training: boolean;
}

/** [texts, dimensions], pooled and normalised as the model says. */
export function encoderGraph(graph: Graph, model: EncoderModel, inputs: TokenInputs, options: EncoderOptions): Tensor {
  const states = tokenStates(graph, model, inputs, loraLinear(graph, model, options));
  return pooled(graph, model, inputs, states);
}
