/** Writes a quantised model as a folder of its own: what its base is described by, and rounded weights. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { copyDescription } from '../encoder/description.ts';
import { type EncoderModel, openEncoder, WEIGHTS_FILE } from '../encoder/open.ts';
import { linearLayers } from '../encoder/weights.ts';
import { readFloats } from '../safetensors/read.ts';
import { type WrittenTensor, writeSafetensors } from '../safetensors/write.ts';
import { openQuantised, scaleName } from './open.ts';
import { roundBlocks, roundChannels } from './rounding.ts';
import { QUANTISATION_FILE, type Quantisation, type Scheme } from './scheme.ts';

/** `into` is made here. Weights that the base takes from elsewhere, such as merged ones, come as `weights`, by module. */
export function quantiseEncoder(
  base: string,
  into: string,
  scheme: Scheme,
  weights: ReadonlyMap<string, Float32Array> = new Map(),
): void {
  if (openQuantised(base)) {
    throw new PawlError('Usage', `${base} is quantised already`, { hint: 'Quantise the model that it was made from.' });
  }
  const model = openEncoder(base);
  const tensors: Record<string, WrittenTensor> = {};
  for (const [name, stored] of model.tensors) {
    tensors[name] = { shape: stored.shape, data: readFloats(stored) };
  }
  for (const [module, { inputs, outputs }] of linearLayers(model.config)) {
    const floats = weights.get(`${module}.weight`) ?? floatsOf(model, `${module}.weight`);
    const { values, shape, scales } =
      scheme.method === 'int8' ? roundChannels(floats, outputs, inputs) : roundBlocks(floats, outputs, inputs, scheme);
    tensors[`${module}.weight`] = { shape, data: values };
    tensors[scaleName(module)] = { shape: [scales.length], data: scales };
  }
  copyDescription(base, into);
  const quantisation: Quantisation = { scheme, of: model.digest };
  writeFileSync(join(into, QUANTISATION_FILE), `${JSON.stringify(quantisation, null, 2)}\n`);
  writeSafetensors(join(into, WEIGHTS_FILE), tensors);
}

const floatsOf = ({ tensors, folder }: EncoderModel, name: string): Float32Array => {
  const stored = tensors.get(name);
  if (stored) return readFloats(stored);
  throw new PawlError('Internal', `${folder} has no tensor ${name}`);
};
