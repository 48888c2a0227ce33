/** What an adapter consists of, before there are any numbers: layers, ranks, scales, and the head that is trained whole. */

import { PawlError } from '../../contracts/failures.ts';
import type { LoraComponent, LoraConfig } from '../../contracts/lora.ts';
import type { EncoderModel } from '../encoder/open.ts';
import { type LinearSize, linearLayers, POOLER } from '../encoder/weights.ts';
import { patternValue, targetModules } from './targets.ts';

export interface LoraLayer extends LinearSize {
  /** The linear layer, by its name in a bare BERT. */
  readonly module: string;
  /** The names of its tensors in PEFT's files, without their ending. */
  readonly key: string;
  readonly rank: number;
  /** What the product of both matrices is multiplied by. */
  readonly scale: number;
}
export interface LoraShape {
  readonly component: LoraComponent;
  readonly layers: ReadonlyMap<string, LoraLayer>;
  readonly decomposed: boolean;
  readonly dropout: number;
  /** Layers that are trained whole, by name: the head of a cross-encoder. */
  readonly head: ReadonlyMap<string, HeadLayer>;
}
export interface HeadLayer extends LinearSize {
  readonly key: string;
}

export const CLASSIFIER = 'classifier';

/** PEFT's names of modules: a cross-encoder is the encoder, as `bert`, with a classifier beside it. */
const moduleName = (component: LoraComponent, module: string): string =>
  component === 'encoder' || module === CLASSIFIER ? module : `bert.${module}`;

const keyOf = (component: LoraComponent, module: string): string => `base_model.model.${moduleName(component, module)}`;

export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** PEFT's names of a layer's tensors. */
export const lowerName = ({ key }: LoraLayer): string => `${key}.lora_A.weight`;
export const upperName = ({ key }: LoraLayer): string => `${key}.lora_B.weight`;
export const magnitudeName = ({ key }: LoraLayer): string => `${key}.lora_magnitude_vector`;

export function tensorShapes(shape: LoraShape): TensorShape[] {
  const layers = [...shape.layers.values()].flatMap((layer) => [
    { name: lowerName(layer), shape: [layer.rank, layer.inputs] },
    { name: upperName(layer), shape: [layer.outputs, layer.rank] },
    ...(shape.decomposed ? [{ name: magnitudeName(layer), shape: [layer.outputs] }] : []),
  ]);
  const head = [...shape.head.values()].flatMap(({ key, inputs, outputs }) => [
    { name: `${key}.weight`, shape: [outputs, inputs] },
    { name: `${key}.bias`, shape: [outputs] },
  ]);
  return [...layers, ...head];
}

/** `pooler: false` leaves the pooler to the base model, as PEFT's own cross-encoders do. */
export function loraShape(
  model: Pick<EncoderModel, 'config' | 'tensors'>,
  config: LoraConfig,
  component: LoraComponent = 'encoder',
  { pooler = true }: { readonly pooler?: boolean } = {},
): LoraShape {
  checkNumbers(config);
  const sizes = adaptable(model, component, pooler);
  const named = new Map([...sizes.keys()].map((module) => [moduleName(component, module), module]));
  const layers = targetModules([...named.keys()], config).map((name): [string, LoraLayer] => {
    const module = named.get(name) as string;
    const size = sizes.get(module) as LinearSize;
    const rank = patternValue('rankPattern', config.rankPattern, name) ?? config.rank;
    const alpha = patternValue('alphaPattern', config.alphaPattern, name) ?? config.alpha;
    const scale = alpha / (config.rankStabilised ? Math.sqrt(rank) : rank);
    return [module, { module, key: keyOf(component, module), ...size, rank, scale }];
  });
  return {
    component,
    layers: new Map(layers),
    decomposed: config.decomposed ?? false,
    dropout: config.dropout,
    head: component === 'reranker' ? headOf(model.config.hidden, pooler) : new Map(),
  };
}

/** What is trained whole takes no adapter, and the pooler has no part in an embedding. */
const adaptable = (
  { config, tensors }: Pick<EncoderModel, 'config' | 'tensors'>,
  component: LoraComponent,
  pooler: boolean,
): ReadonlyMap<string, LinearSize> => {
  const layers = linearLayers(config);
  if (component === 'encoder' || pooler || !tensors.has(`${POOLER}.weight`)) return layers;
  return new Map([...layers, [POOLER, { inputs: config.hidden, outputs: config.hidden }]]);
};

const headOf = (hidden: number, pooler: boolean): ReadonlyMap<string, HeadLayer> =>
  new Map([
    ...(pooler ? [[POOLER, { key: keyOf('reranker', POOLER), inputs: hidden, outputs: hidden }] as const] : []),
    [CLASSIFIER, { key: keyOf('reranker', CLASSIFIER), inputs: hidden, outputs: 1 }],
  ]);

const checkNumbers = ({ rank, alpha, dropout, rankPattern = {} }: LoraConfig): void => {
  const ranks = Object.entries({ rank, ...rankPattern });
  const wrong = ranks.find(([, value]) => !Number.isInteger(value) || value < 1);
  if (wrong) throw new PawlError('Usage', `${wrong[0]}: expected a whole number above 0, found ${wrong[1]}`);
  if (!Number.isFinite(alpha)) throw new PawlError('Usage', `alpha: expected a number, found ${alpha}`);
  if (!(dropout >= 0 && dropout < 1)) {
    throw new PawlError('Usage', `dropout: expected a share from 0 up to, but not, 1; found ${dropout}`);
  }
};
