/** A network as a safetensors file: weights under the names PyTorch would give them, activations in the metadata. */
import { PawlError } from '../../contracts/failures.ts';
import { openSafetensors, readFloats } from '../safetensors/read.ts';
import { type WrittenTensors, writeSafetensors } from '../safetensors/write.ts';
import { ACTIVATIONS, type Activation, type Network, type NetworkShape, partsOf } from './network.ts';

const ACTIVATIONS_KEY = 'activations';

const INPUTS_KEY = 'inputs';

/** `inputs`: what each number of a row means, so that nobody feeds it another row of the same length. */
export function saveNetwork(path: string, { shape, parameters }: Network, inputs: readonly string[]): void {
  const tensors: WrittenTensors = Object.fromEntries(
    partsOf(shape).map(({ name, shape: size, from, to }) => [name, { shape: size, data: parameters.slice(from, to) }]),
  );
  const activations = shape.layers.map(({ activation }) => activation).join(' ');
  writeSafetensors(path, tensors, {
    format: 'pt',
    [ACTIVATIONS_KEY]: activations,
    [INPUTS_KEY]: JSON.stringify(inputs),
  });
}

export function loadNetwork(path: string, inputs: readonly string[]): Network {
  const file = openSafetensors(path);
  const made = file.metadata[INPUTS_KEY] ?? 'nothing';
  if (made !== JSON.stringify(inputs))
    throw unfit(path, `its inputs should be ${JSON.stringify(inputs)}, found ${made}`);
  const activations = (file.metadata[ACTIVATIONS_KEY] ?? '').split(' ').map((name) => activationOf(path, name));
  const widths = activations.map((_, at) => file.tensors.get(`layers.${at}.weight`)?.shape ?? []);
  const shape: NetworkShape = {
    inputs: inputs.length,
    layers: activations.map((activation, at) => ({ activation, outputs: widths[at]?.[0] ?? 0 })),
  };
  const parts = partsOf(shape);
  const parameters = new Float32Array(parts.at(-1)?.to ?? 0);
  for (const { name, shape: expected, from } of parts) {
    const stored = file.tensors.get(name);
    const found = stored ? `[${stored.shape}]` : 'nothing';
    if (!stored || found !== `[${expected}]`) throw unfit(path, `${name} should be [${expected}], found ${found}`);
    parameters.set(readFloats(stored), from);
  }
  if (!parameters.every(Number.isFinite)) throw unfit(path, 'a weight is not a number');
  return { shape, parameters };
}

const activationOf = (path: string, name: string): Activation => {
  const known = ACTIVATIONS.find((one) => one === name);
  if (known) return known;
  throw unfit(path, `expected activations (${ACTIVATIONS.join(', ')}) in its metadata, found ${JSON.stringify(name)}`);
};

const unfit = (path: string, what: string): PawlError =>
  new PawlError('ConfigInvalid', `${path} holds no network that fits: ${what}`, {
    hint: 'Train it again, and save it whole.',
  });
