/** The graphs of a training step. */
import type { TrainingPlan } from '../../contracts/lora.ts';
import { crossEncoderGraph } from '../encoder/cross-encoder.ts';
import { encoderGraph } from '../encoder/graph.ts';
import type { EncoderModel } from '../encoder/open.ts';
import { tokenInputs } from '../encoder/tokens.ts';
import { Graph } from '../graph/graph.ts';
import type { Dim, Tensor } from '../graph/tensor.ts';
import type { LoraShape } from '../lora/shape.ts';
import { inBatchLoss, type ListLoss, listLoss } from './losses.ts';

export interface Trained {
  readonly model: EncoderModel;
  readonly shape: LoraShape;
  readonly plan: TrainingPlan;
}

/** The name under which a graph returns a parameter's gradient. */
export const gradientName = (parameter: string): string => `gradient of ${parameter}`;

const withGradients = (g: Graph, of: Tensor, seed?: Tensor): Graph => {
  const gradients = g.gradients(of, g.params, seed);
  for (const [n, { name }] of g.params.entries()) g.output(gradientName(name), gradients[n] as Tensor);
  return g;
};

/** Tokens → loss and gradients, in one run. */
export function wholeGraph({ model, shape, plan }: Trained): Graph {
  const g = new Graph();
  const inputs = tokenInputs(g);
  const rows = encoderGraph(g, model, inputs, { adapter: shape, training: true });
  const loss = embeddingLoss(g, plan, rows);
  g.output('loss', loss);
  return withGradients(g, loss);
}

/** Tokens → embeddings. `shape: null` is the base model, as documents see it that keep their vectors. */
export function embeddingGraph({ model, shape }: { model: EncoderModel; shape: LoraShape | null }): Graph {
  const g = new Graph();
  const options = shape ? { adapter: shape, training: true } : { training: false };
  g.output('embeddings', encoderGraph(g, model, tokenInputs(g), options));
  return g;
}

/** Embeddings → loss, and its gradient with respect to them. */
export function lossGraph({ model, plan }: Trained): Graph {
  const g = new Graph();
  const loss = embeddingLoss(g, plan, g.param('embeddings', ['n', model.dimensions]));
  g.output('loss', loss);
  return withGradients(g, loss);
}

/** Tokens, and the gradient with respect to their embeddings → gradients. */
export function backwardGraph({ model, shape }: Trained): Graph {
  const g = new Graph();
  const rows = encoderGraph(g, model, tokenInputs(g), { adapter: shape, training: true });
  return withGradients(g, rows, g.input('upstream', rows.shape));
}

/** Pairs of texts → loss and gradients. */
export function rerankerGraph({ model, shape, plan }: Trained): Graph {
  const g = new Graph();
  const scores = crossEncoderGraph(g, model, tokenInputs(g), { adapter: shape, training: true });
  const loss = listLoss(g, plan.loss as ListLoss, () => {
    const listed = g.matmul(g.input('pick.listed', ['listed', 'n']), g.unsqueeze(scores, [1]));
    return g.reshape(listed, ['queries', 'list']);
  });
  g.output('loss', loss);
  return withGradients(g, loss);
}

/** The embeddings of a batch's texts are picked into queries and candidates. */
function embeddingLoss(g: Graph, { loss, scale, side }: TrainingPlan, rows: Tensor): Tensor {
  const documents = side === 'query' ? g.input('documents', ['documents', rows.shape[1] as number]) : rows;
  const picked = (what: string, from: Tensor): Tensor =>
    g.matmul(g.input(`pick.${what}`, [what, from.shape[0] as Dim]), from);
  const queries = picked('queries', rows);
  if (loss === 'in-batch') {
    return inBatchLoss(g, g.matmul(queries, picked('candidates', documents), { transB: true, alpha: scale }));
  }
  return listLoss(g, loss, () => {
    const listed = g.reshape(picked('listed', documents), ['queries', 'list', rows.shape[1] as number]);
    const scores = g.sum(g.mul(listed, g.unsqueeze(queries, [1])), [2], false);
    return loss === 'cosine' ? scores : g.mul(scores, scale);
  });
}
