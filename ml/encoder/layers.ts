/**
 * BERT, from token ids to the state of every token. Linear layers see tokens only; attention sees the grid.
 *
 * Served and trained, these are the same operators. ONNX Runtime's own for several of them at once (MultiHeadAttention,
 * SkipLayerNormalization, BiasGelu, EmbedLayerNormalization, and query, key and value in one product) gave the same numbers, and
 * for one text no gain that stood out of the noise: its time is that of reading the weights. So nothing here depends on what is
 * trained; only whether there is a grid at all.
 */
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Activation } from './config.ts';
import { frozen } from './frozen.ts';
import type { EncoderModel } from './open.ts';
import type { TokenInputs } from './tokens.ts';

/** A linear layer of the model by its name, with whatever was laid over it. */
export type Linear = (x: Tensor, module: string) => Tensor;

/** Added to the scores of places without a token: far below any score, far above minus infinity. */
const MASKED = 1e9;

export function tokenStates(graph: Graph, model: EncoderModel, inputs: TokenInputs, linear: Linear): Tensor {
  const norm = (x: Tensor, name: string) => layerNorm(graph, model, x, name);
  const hidden = inputs.grid && graph.mul(graph.sub(graph.unsqueeze(inputs.grid.mask, [1, 2]), 1), MASKED);
  let x = norm(embeddings(graph, model, inputs), 'embeddings.LayerNorm');
  for (let n = 0; n < model.config.layers; n++) {
    const layer = `encoder.layer.${n}`;
    const context = attention(graph, model, inputs, { x, hidden, linear, name: `${layer}.attention.self` });
    x = norm(graph.add(linear(context, `${layer}.attention.output.dense`), x), `${layer}.attention.output.LayerNorm`);
    const wide = activate(graph, linear(x, `${layer}.intermediate.dense`), model.config.activation);
    x = norm(graph.add(linear(wide, `${layer}.output.dense`), x), `${layer}.output.LayerNorm`);
  }
  return x;
}

const layerNorm = (graph: Graph, model: EncoderModel, x: Tensor, name: string): Tensor =>
  graph.layerNorm(
    x,
    frozen(graph, model, `${name}.weight`),
    frozen(graph, model, `${name}.bias`),
    model.config.epsilon,
  );

export function embeddings(graph: Graph, model: EncoderModel, { ids, positions, types }: TokenInputs): Tensor {
  const rows = (table: string, of: Tensor) => graph.gather(frozen(graph, model, `embeddings.${table}.weight`), of);
  const words = graph.add(rows('word_embeddings', ids), rows('token_type_embeddings', types));
  return graph.add(words, rows('position_embeddings', positions));
}

interface Attention {
  readonly x: Tensor;
  /** Added to the scores, to hide places without a token. */
  readonly hidden: Tensor | null;
  readonly linear: Linear;
  readonly name: string;
}

const attention = (graph: Graph, model: EncoderModel, inputs: TokenInputs, of: Attention): Tensor => {
  const { hidden: width, heads } = model.config;
  const { hidden } = of;
  const { texts, longest, grid } = inputs;
  const inHeads = (part: string) => {
    const rows = of.linear(of.x, `${of.name}.${part}`);
    const places = grid ? graph.pad(rows, grid) : rows;
    return graph.transpose(graph.reshape(places, [texts, longest, heads, width / heads]), [0, 2, 1, 3]);
  };
  const [query, key, value] = [inHeads('query'), inHeads('key'), inHeads('value')];
  const scores = graph.matmul(query, key, { transB: true, alpha: 1 / Math.sqrt(width / heads) });
  const seen = graph.matmul(graph.softmax(hidden ? graph.add(scores, hidden) : scores), value);
  const inOrder = graph.transpose(seen, [0, 2, 1, 3]);
  if (!grid) return graph.reshape(inOrder, [longest, width]);
  return graph.unpad(graph.reshape(inOrder, [grid.slots.shape[0] as string, width]), grid);
};

export const activate = (graph: Graph, x: Tensor, activation: Activation): Tensor => {
  if (activation === 'relu') return graph.relu(x);
  if (activation === 'gelu') return graph.gelu(x);
  // Both remaining names are the approximation by tanh.
  const cubed = graph.mul(graph.mul(x, x), x);
  const inner = graph.mul(graph.add(x, graph.mul(cubed, 0.044715)), Math.sqrt(2 / Math.PI));
  return graph.mul(graph.mul(x, 0.5), graph.add(graph.tanh(inner), 1));
};
