/** A linear layer over rounded weights. */

import { basename } from 'node:path';
import { frozen } from '../encoder/frozen.ts';
import type { Linear } from '../encoder/layers.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { StoredTensor } from '../safetensors/format.ts';
import type { QuantisedEncoder } from './open.ts';

const MICROSOFT = { domain: 'com.microsoft' };
/** The layer's input may be rounded to int8 inside the product, where that is faster. */
const INT8_INSIDE = 4;

export const quantisedLinear =
  (graph: Graph, { model, quantisation: { scheme }, rounded }: QuantisedEncoder): Linear =>
  (x, module) => {
    const layer = rounded.get(module);
    if (!layer) throw new Error(`${module} was not rounded`);
    const { inputs, outputs } = layer;
    const [values, scales, bias] = [
      stored(graph, layer.values),
      stored(graph, layer.scales),
      frozen(graph, model, `${module}.bias`),
    ];
    const shape = [x.shape[0] as string, outputs];
    const [y] =
      scheme.method === 'int8'
        ? graph.op('DynamicQuantizeMatMul', [x, values, scales, null, bias], [shape], MICROSOFT)
        : graph.op('MatMulNBits', [x, values, scales, null, null, bias], [shape], {
            ...MICROSOFT,
            attributes: {
              K: { int: inputs },
              N: { int: outputs },
              bits: { int: scheme.bits },
              block_size: { int: scheme.block },
              accuracy_level: { int: INT8_INSIDE },
            },
          });
    return y as Tensor;
  };

const TYPES = { F32: 'float32', I8: 'int8', U8: 'uint8' } as const;

const stored = (graph: Graph, { name, dtype, shape, file, offset, length }: StoredTensor): Tensor =>
  graph.external(name, shape, { file: basename(file), offset, length }, TYPES[dtype as keyof typeof TYPES]);
