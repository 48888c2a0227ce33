/** A quantised encoder from its folder: a BERT whose linear layers are whole numbers, checked as strictly as any other. */
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { readConfig } from '../encoder/config.ts';
import { readJson } from '../encoder/json-file.ts';
import { type EncoderModel, openEncoder, WEIGHTS_FILE } from '../encoder/open.ts';
import { type LinearSize, linearLayers } from '../encoder/weights.ts';
import type { Safetensors, StoredTensor } from '../safetensors/format.ts';
import { openSafetensors } from '../safetensors/read.ts';
import { QUANTISATION_FILE, Quantisation, type Scheme } from './scheme.ts';

export interface RoundedLayer extends LinearSize {
  readonly values: StoredTensor;
  readonly scales: StoredTensor;
}
export interface QuantisedEncoder {
  readonly model: EncoderModel;
  readonly quantisation: Quantisation;
  readonly rounded: ReadonlyMap<string, RoundedLayer>;
}

export const scaleName = (module: string): string => `${module}.weight_scale`;

/** null: the folder is none of a quantised model. */
export function openQuantised(folder: string): QuantisedEncoder | null {
  const quantisation = readJson(join(folder, QUANTISATION_FILE), Quantisation);
  if (!quantisation) return null;
  const file = openSafetensors(join(folder, WEIGHTS_FILE));
  const layers = linearLayers(readConfig(folder));
  const rounded = new Map(
    [...layers].map(([module, size]): [string, RoundedLayer] => [
      module,
      roundedLayer(file, module, size, quantisation.scheme),
    ]),
  );
  return { model: openEncoder(folder, withoutRounded(file, layers)), quantisation, rounded };
}

const roundedLayer = (file: Safetensors, module: string, size: LinearSize, scheme: Scheme): RoundedLayer => {
  const { inputs, outputs } = size;
  const blocks = scheme.method === 'blocks' ? Math.ceil(inputs / scheme.block) : 1;
  const [dtype, shape, scales] =
    scheme.method === 'int8'
      ? ['I8', [inputs, outputs], [outputs]]
      : ['U8', [outputs, blocks, (scheme.block * scheme.bits) / 8], [outputs * blocks]];
  return {
    ...size,
    values: checked(file, `${module}.weight`, dtype, shape),
    scales: checked(file, scaleName(module), 'F32', scales),
  };
};

const checked = (
  { path, tensors }: Safetensors,
  name: string,
  dtype: string,
  shape: readonly number[],
): StoredTensor => {
  const tensor = tensors.get(name);
  if (tensor?.dtype === dtype && String(tensor.shape) === String(shape)) return tensor;
  const found = tensor ? `[${tensor.shape}] of ${tensor.dtype}` : 'no tensor of that name';
  throw new PawlError('ConfigInvalid', `${path}: ${name}: expected [${shape}] of ${dtype}, found ${found}`, {
    hint: 'Quantise the model that it was made from again: `pawl model quantize`.',
  });
};

/** What is checked as in any other model, once the rounded layers were. */
const withoutRounded = (file: Safetensors, layers: ReadonlyMap<string, LinearSize>): Safetensors => {
  const tensors = new Map(file.tensors);
  for (const [module, { inputs, outputs }] of layers) {
    tensors.delete(scaleName(module));
    const name = `${module}.weight`;
    tensors.set(name, { ...(tensors.get(name) as StoredTensor), dtype: 'F32', shape: [outputs, inputs] });
  }
  return { ...file, tensors };
};
