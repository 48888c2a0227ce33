/** An adapter with its numbers, under PEFT's names; made anew, or held against the model that it is to lie over. */

import { PawlError } from '../../contracts/failures.ts';
import type { LoraComponent, LoraConfig } from '../../contracts/lora.ts';
import { hash32, type Random, seeded } from '../../domain/random.ts';
import type { EncoderModel } from '../encoder/open.ts';
import { POOLER } from '../encoder/weights.ts';
import { readFloats } from '../safetensors/read.ts';
import { weightNorms } from './decomposed.ts';
import {
  CLASSIFIER,
  type HeadLayer,
  type LoraShape,
  loraShape,
  lowerName,
  magnitudeName,
  type TensorShape,
  tensorShapes,
  upperName,
} from './shape.ts';

export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
export interface Adapter {
  readonly config: LoraConfig;
  readonly component: LoraComponent;
  /** `sha256:` and the digest of the weights that it was trained over; or whatever its file says of its base, made elsewhere. */
  readonly base: string;
  readonly tensors: ReadonlyMap<string, FloatTensor>;
}

const DIGEST = 'sha256:';
export const baseOf = ({ digest }: EncoderModel): string => DIGEST + digest;

/**
 * As PEFT begins: A uniform in ±1/√inputs (Kaiming's with a = √5), B zero, so that a fresh adapter changes nothing; magnitudes are
 * those of the base. A head begins as the encoder's own pooler, where it has one. Each tensor's draws depend on the seed
 * and its own name only.
 */
export function newAdapter(
  model: EncoderModel,
  config: LoraConfig,
  seed: number,
  component: LoraComponent = 'encoder',
): Adapter {
  const shape = loraShape(model, config, component);
  const tensors = new Map<string, FloatTensor>();
  const randomFor = (name: string) => seeded(hash32(`${seed} ${name}`));
  for (const layer of shape.layers.values()) {
    const { rank, inputs, outputs } = layer;
    const lower = randomFor(lowerName(layer));
    const bound = 1 / Math.sqrt(inputs);
    const data = Float32Array.from({ length: rank * inputs }, () => (2 * lower() - 1) * bound);
    tensors.set(lowerName(layer), { shape: [rank, inputs], data });
    tensors.set(upperName(layer), { shape: [outputs, rank], data: new Float32Array(outputs * rank) });
    if (shape.decomposed) {
      tensors.set(magnitudeName(layer), { shape: [outputs], data: weightNorms(model, layer) });
    }
  }
  for (const [module, layer] of shape.head) {
    const { weight, bias } = initialHead(model, module, layer, randomFor(layer.key));
    tensors.set(`${layer.key}.weight`, { shape: [layer.outputs, layer.inputs], data: weight });
    tensors.set(`${layer.key}.bias`, { shape: [layer.outputs], data: bias });
  }
  return { config, component, base: baseOf(model), tensors };
}

const initialHead = (model: EncoderModel, module: string, { inputs, outputs }: HeadLayer, random: Random) => {
  const [weight, bias] = ['weight', 'bias'].map((part) => model.tensors.get(`${module}.${part}`));
  if (weight && bias) return { weight: readFloats(weight), bias: readFloats(bias) };
  const { initialDeviation } = model.config;
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return {
    weight: Float32Array.from({ length: inputs * outputs }, () => initialDeviation * normal()),
    bias: new Float32Array(outputs),
  };
};

/** The shape of an adapter over this model; an adapter of another base, or with another tensor than its configuration says, is refused. */
export function adapterShape(model: EncoderModel, adapter: Adapter): LoraShape {
  const { base, component, config, tensors } = adapter;
  if (base.startsWith(DIGEST) && base !== baseOf(model)) {
    throw new PawlError(
      'Refused',
      `The adapter was trained over weights with the ${base}, but ${model.weights.path} has ${baseOf(model)}`,
      {
        hint: 'Import the base that it was trained over, or train an adapter for this one.',
      },
    );
  }
  const pooler = [...tensors.keys()].some((name) => name.endsWith(`.${POOLER}.weight`));
  const shape = loraShape(model, config, component, { pooler });
  const wanted = tensorShapes(shape);
  for (const one of wanted) checkTensor(model, one, tensors.get(one.name));
  const names = new Set(wanted.map(({ name }) => name));
  const surplus = [...tensors.keys()].find((name) => !names.has(name));
  if (surplus === undefined) return shape;
  throw unfit(model, surplus, 'no such tensor, by its configuration', sizes(tensors.get(surplus)));
}

const checkTensor = (model: EncoderModel, { name, shape }: TensorShape, tensor: FloatTensor | undefined): void => {
  const same = tensor?.shape.length === shape.length && tensor.shape.every((size, axis) => size === shape[axis]);
  if (!same) throw unfit(model, name, `[${shape.join(', ')}]`, sizes(tensor));
  const bad = tensor.data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw unfit(model, name, 'numbers', `${tensor.data[bad]} at ${bad}`);
};

const sizes = (tensor: FloatTensor | undefined): string =>
  tensor ? `[${tensor.shape.join(', ')}]` : 'no tensor of that name';

const unfit = (model: EncoderModel, name: string, expected: string, found: string): PawlError =>
  new PawlError('Refused', `The adapter does not fit ${model.folder}: ${name}: expected ${expected}, found ${found}`, {
    hint: 'It belongs to another base or another configuration: name the base that it was trained over, or export it again.',
  });

/** Whether a head is part of it, and so its scores. */
export const scoresPairs = ({ tensors }: Adapter): boolean =>
  [...tensors.keys()].some((name) => name.endsWith(`.${CLASSIFIER}.weight`));
