/**
 * A linear layer of the base model with an adapter over it: y = W·x + b + scale·B·A·x.
 *
 * 1. The base weights are frozen and read from the model's file; the adapter's tensors are inputs, so that one session of the
 *    base serves every adapter.
 * 2. While training they are parameters under PEFT's names, with the shapes of the adapter. Served, their rank is open and the
 *    scale is part of what is fed (see feeds.ts), so that adapters of different ranks and scales are fed in turn.
 * 3. Weight-decomposed (DoRA, arXiv 2402.09353): y = m / ‖W + scale·B·A‖ · (W·x + scale·B·A·x) + b, with the norm of each row
 *    taken for a constant by the backward pass, as the paper's section 4.3 and PEFT have it.
 */
import { frozen } from '../encoder/frozen.ts';
import type { EncoderOptions } from '../encoder/graph.ts';
import type { Linear } from '../encoder/layers.ts';
import type { EncoderModel } from '../encoder/open.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import { rowNorms } from './decomposed.ts';
import { dropoutIn } from './dropout.ts';
import { type LoraLayer, lowerName, magnitudeName, upperName } from './shape.ts';

export function loraLinear(graph: Graph, model: EncoderModel, { adapter, training }: EncoderOptions): Linear {
  const drop = adapter && training ? dropoutIn(graph, adapter) : undefined;
  return (x, module) => {
    const weight = frozen(graph, model, `${module}.weight`);
    const bias = frozen(graph, model, `${module}.bias`);
    const layer = adapter?.layers.get(module);
    if (!layer) return graph.linear(x, weight, bias);
    const dropped = drop ? drop(x, layer) : x;
    const over = training ? trained(graph, layer) : served(graph, layer);
    if (!adapter?.decomposed) return over.add(dropped, graph.linear(x, weight, bias));
    const ratio = training
      ? graph.div(graph.param(magnitudeName(layer), [layer.outputs]), rowNorms(graph, model, layer, over))
      : graph.input(magnitudeName(layer), [layer.outputs]);
    const turned = graph.mul(over.add(dropped, graph.linear(dropped, weight, null)), ratio);
    // With dropout, PEFT lets the base layer see x whole and takes back what it sees of the rest.
    const rest = drop ? graph.linear(graph.sub(x, dropped), weight, bias) : bias;
    return graph.add(turned, rest);
  };
}

export interface LowRank {
  readonly lower: Tensor;
  readonly upper: Tensor;
  readonly scale: number;
  /** scale·B·A·x + plus */
  add(x: Tensor, plus: Tensor): Tensor;
}

const trained = (graph: Graph, layer: LoraLayer): LowRank =>
  lowRank(
    graph,
    graph.param(lowerName(layer), [layer.rank, layer.inputs]),
    graph.param(upperName(layer), [layer.outputs, layer.rank]),
    layer.scale,
  );

const served = (graph: Graph, layer: LoraLayer): LowRank => {
  const rank = `rank of ${layer.module}`;
  return lowRank(
    graph,
    graph.input(lowerName(layer), [rank, layer.inputs]),
    graph.input(upperName(layer), [layer.outputs, rank]),
    1,
  );
};

const lowRank = (graph: Graph, lower: Tensor, upper: Tensor, scale: number): LowRank => ({
  lower,
  upper,
  scale,
  add: (x, plus) => graph.linear(graph.linear(x, lower, null), upper, plus, scale),
});
