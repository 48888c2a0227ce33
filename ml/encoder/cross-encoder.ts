/** A cross-encoder: query and text in one row of tokens, one score out. The head is BERT's own: pooler, tanh, classifier. */
import { PawlError } from '../../contracts/failures.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import { loraLinear } from '../lora/linear.ts';
import { CLASSIFIER, type LoraShape } from '../lora/shape.ts';
import type { EncoderOptions } from './graph.ts';
import { type Linear, tokenStates } from './layers.ts';
import type { EncoderModel } from './open.ts';
import { firstToken } from './pool.ts';
import type { TokenInputs } from './tokens.ts';
import { POOLER } from './weights.ts';

/** [texts] scores. The head's layers are inputs as the adapter's are, and parameters while training. */
export function crossEncoderGraph(
  graph: Graph,
  model: EncoderModel,
  inputs: TokenInputs,
  options: EncoderOptions & { readonly adapter: LoraShape },
): Tensor {
  if (!options.adapter.head.has(CLASSIFIER)) {
    throw new PawlError('Usage', 'An adapter of a bi-encoder has no head that could score pairs', {
      hint: 'Train one for the component reranker.',
    });
  }
  const over = loraLinear(graph, model, options);
  const linear: Linear = (x, module) => headLayer(graph, x, module, options) ?? over(x, module);
  const first = firstToken(graph, inputs, tokenStates(graph, model, inputs, linear));
  return graph.squeeze(linear(graph.tanh(linear(first, POOLER)), CLASSIFIER), [1]);
}

const headLayer = (
  graph: Graph,
  x: Tensor,
  module: string,
  { adapter, training }: EncoderOptions,
): Tensor | undefined => {
  const layer = adapter?.head.get(module);
  if (!layer) return undefined;
  const { key, inputs, outputs } = layer;
  const tensor = (name: string, shape: readonly number[]) =>
    training ? graph.param(name, shape) : graph.input(name, shape);
  return graph.linear(x, tensor(`${key}.weight`, [outputs, inputs]), tensor(`${key}.bias`, [outputs]));
};
