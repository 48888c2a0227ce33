/**
 * Dropout before the adapter's matrices, as PEFT does it, from a seed.
 *
 * 1. Which inputs are dropped is fed, not drawn by ONNX Runtime: its generators keep a state that no checkpoint holds, and
 *    differ between devices. The same seed drops the same inputs in a resumed run, and in the second pass of GradCache.
 * 2. One pool of draws is fed for all layers, and each layer reads a stretch of it from a place of its own. A mask for
 *    each layer would be ten times as large; within a layer all draws are independent either way.
 */
import { hash32, seeded } from '../../domain/random.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Feeds } from '../session/session.ts';
import type { LoraLayer, LoraShape } from './shape.ts';

const POOL = 'dropout.pool';
const STARTS = 'dropout.starts';
/** How far the stretches of layers may begin from one another. */
const SPREAD = 1 << 16;

export function dropoutIn(graph: Graph, shape: LoraShape): ((x: Tensor, layer: LoraLayer) => Tensor) | undefined {
  if (shape.dropout === 0) return undefined;
  const pool = graph.input(POOL, ['dropout']);
  const starts = graph.input(STARTS, [shape.layers.size], 'int64');
  const sites = [...shape.layers.keys()];
  const whole = (op: string, a: Tensor, b: Tensor) => graph.op(op, [a, b], [[1]], { type: 'int64' })[0] as Tensor;
  return (x, { module, inputs }) => {
    const site = sites.indexOf(module);
    const start = graph.slice(starts, 0, site, site + 1);
    const end = whole('Add', start, whole('Mul', graph.sizeAlong(x, 0), graph.ints([inputs])));
    return graph.mul(x, graph.reshape(graph.slice(pool, 0, start, end, `draws of ${module}`), x.shape));
  };
}

/** What a training graph with dropout is fed beside its tokens; nothing where the adapter has none. */
export function dropoutFeeds(shape: LoraShape, tokens: number, seed: number): Feeds {
  const { dropout, layers } = shape;
  if (dropout === 0) return {};
  const widest = Math.max(...[...layers.values()].map(({ inputs }) => inputs));
  const draw = seeded(hash32(`dropout ${seed}`));
  const starts = BigInt64Array.from([...layers.keys()], () => BigInt(Math.floor(draw() * SPREAD)));
  const pool = new Float32Array(tokens * widest + SPREAD);
  const kept = 1 / (1 - dropout);
  for (let i = 0; i < pool.length; i++) pool[i] = draw() < dropout ? 0 : kept;
  return {
    [POOL]: { type: 'float32', shape: [pool.length], data: pool },
    [STARTS]: { type: 'int64', shape: [starts.length], data: starts },
  };
}
