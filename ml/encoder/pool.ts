/** From the states of tokens to one vector a text. */
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { EncoderModel } from './open.ts';
import type { TokenInputs } from './tokens.ts';

/** As torch's: a vector of zeros stays one, instead of becoming no number. */
const SMALLEST_SQUARE = 1e-24;

export function pooled(graph: Graph, model: EncoderModel, inputs: TokenInputs, states: Tensor): Tensor {
  const vector = model.pooling === 'mean' ? mean(graph, inputs, states) : firstToken(graph, inputs, states);
  return model.normalise ? normalised(graph, vector) : vector;
}

/** Places without a token are zero in the grid, so a plain sum is that of the tokens. */
const mean = (graph: Graph, inputs: TokenInputs, states: Tensor): Tensor =>
  inputs.grid
    ? graph.div(graph.sum(inGrid(graph, inputs, states), [1], false), graph.sum(inputs.grid.mask, [1]))
    : graph.mean(states, [0]);

export const firstToken = (graph: Graph, inputs: TokenInputs, states: Tensor): Tensor =>
  graph.squeeze(graph.slice(inGrid(graph, inputs, states), 1, 0, 1), [1]);

const inGrid = (graph: Graph, inputs: TokenInputs, states: Tensor): Tensor =>
  graph.reshape(inputs.grid ? graph.pad(states, inputs.grid) : states, [
    inputs.texts,
    inputs.longest,
    states.shape[1] as number,
  ]);

const normalised = (graph: Graph, x: Tensor): Tensor =>
  graph.div(x, graph.sqrt(graph.add(graph.sum(graph.mul(x, x), [1]), SMALLEST_SQUARE)));
