/** What a session is fed for an adapter, or for none: it was opened for the layers that any of them may lie over. */
import { PawlError } from '../../contracts/failures.ts';
import type { LoraComponent } from '../../contracts/lora.ts';
import type { EncoderModel } from '../encoder/open.ts';
import type { Feed, Feeds } from '../session/session.ts';
import { type Adapter, adapterShape, type FloatTensor } from './adapter.ts';
import { rowNormsOf } from './decomposed.ts';
import { mergedWeight } from './merge.ts';
import { type LoraLayer, type LoraShape, loraShape, lowerName, magnitudeName, upperName } from './shape.ts';
import { ALL_LINEAR } from './targets.ts';

/** For a session that serves every adapter over these layers: ranks and scales are open, so only the layers count. */
export function servedShape(
  model: EncoderModel,
  component: LoraComponent = 'encoder',
  { decomposed = false }: { readonly decomposed?: boolean } = {},
): LoraShape {
  return loraShape(model, { rank: 1, alpha: 1, dropout: 0, targets: ALL_LINEAR, decomposed }, component);
}

/** Scales are multiplied into B, and magnitudes divided by the norms that they replace. A layer without an adapter gets zeros. */
export function adapterFeeds(model: EncoderModel, served: LoraShape, adapter: Adapter | null): Feeds {
  const own = adapter ? adapterShape(model, adapter) : undefined;
  checkServed(served, own);
  const layers = [...served.layers.values()].flatMap((layer) => {
    const over = own?.layers.get(layer.module);
    return over && adapter ? layerFeeds(model, served, over, adapter) : nothing(served, layer);
  });
  const head = [...served.head.values()].flatMap(({ key }) =>
    ['weight', 'bias'].map((part): [string, Feed] => [
      `${key}.${part}`,
      feed(adapter?.tensors.get(`${key}.${part}`) as FloatTensor),
    ]),
  );
  return Object.fromEntries([...layers, ...head]);
}

type Entries = [string, Feed][];
const feed = ({ shape, data }: FloatTensor): Feed => ({ type: 'float32', shape, data });

const layerFeeds = (model: EncoderModel, served: LoraShape, layer: LoraLayer, adapter: Adapter): Entries => {
  const tensor = (name: string) => adapter.tensors.get(name) as FloatTensor;
  const upper = tensor(upperName(layer));
  const entries: Entries = [
    [lowerName(layer), feed(tensor(lowerName(layer)))],
    [upperName(layer), feed({ ...upper, data: upper.data.map((value) => value * layer.scale) })],
  ];
  if (!served.decomposed) return entries;
  const magnitudes = adapter.config.decomposed ? tensor(magnitudeName(layer)).data : null;
  return [
    ...entries,
    [magnitudeName(layer), feed({ shape: [layer.outputs], data: ratios(model, layer, adapter, magnitudes) })],
  ];
};

/** 1 for a layer whose rows keep whatever length they have. */
const ratios = (
  model: EncoderModel,
  layer: LoraLayer,
  adapter: Adapter,
  magnitudes: Float32Array | null,
): Float32Array => {
  if (!magnitudes) return new Float32Array(layer.outputs).fill(1);
  const norms = rowNormsOf(mergedWeight(model, layer, adapter), layer.outputs, layer.inputs);
  return magnitudes.map((magnitude, row) => magnitude / (norms[row] as number));
};

const nothing = (served: LoraShape, layer: LoraLayer): Entries => {
  const { inputs, outputs } = layer;
  const filled = (shape: readonly number[], length: number, value: number) =>
    feed({ shape, data: new Float32Array(length).fill(value) });
  return [
    [lowerName(layer), filled([1, inputs], inputs, 0)],
    [upperName(layer), filled([outputs, 1], outputs, 0)],
    ...(served.decomposed ? [[magnitudeName(layer), filled([outputs], outputs, 1)] as [string, Feed]] : []),
  ];
};

const checkServed = (served: LoraShape, own: LoraShape | undefined): void => {
  const problem = unserved(served, own);
  if (problem)
    throw new PawlError('Refused', `The session was not opened for this adapter: ${problem}`, {
      hint: 'Open one for it: a session serves adapters of one component, over the layers that it was opened for.',
    });
};

const unserved = (served: LoraShape, own: LoraShape | undefined): string | undefined => {
  if (!own) return served.head.size > 0 ? 'a cross-encoder has no scores without its head' : undefined;
  if (own.component !== served.component)
    return `it is for the ${own.component}, the session for the ${served.component}`;
  if (own.decomposed && !served.decomposed) return 'it is weight-decomposed';
  const layer = [...own.layers.keys()].find((module) => !served.layers.has(module));
  if (layer) return `it lies over ${layer}`;
  const head =
    [...own.head.keys()].find((module) => !served.head.has(module)) ??
    [...served.head.keys()].find((module) => !own.head.has(module));
  return head && `only one of both trains ${head} whole`;
};
