/** What PyTorch and PEFT made of a model (see fixtures.py), and how far something else is from it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoraConfig } from '../../contracts/lora.ts';
import type { Safetensors } from '../../ml/safetensors/format.ts';
import { openSafetensors, readFloats } from '../../ml/safetensors/read.ts';

/** Largest difference that passes for rounding. */
export const CLOSE = 1e-5;

export interface References {
  /** The model's folder, and that of what was made of it. */
  readonly model: string;
  readonly folder: string;
}

export interface Compared {
  readonly what: string;
  readonly error: number;
}

export const factsOf = <Facts>({ folder }: References, name: string): Facts =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Facts;

export const tensorsOf = ({ folder }: References, name: string): Safetensors =>
  openSafetensors(join(folder, `${name}.safetensors`));

export function floats({ path, tensors }: Safetensors, name: string): Float32Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`${path} has no tensor ${name}`);
  return readFloats(tensor);
}

/** Tensors whose name begins so, without that beginning. */
export const under = (file: Safetensors, prefix: string): Record<string, Float32Array> =>
  Object.fromEntries(
    [...file.tensors.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => [name.slice(prefix.length), floats(file, name)]),
  );

/** Below this length a reference is zero but for rounding, and what differs counts as it is. */
const NOTHING = 1e-6;

/** Length of the difference over the length of what was expected; infinite where there is not the same number of values. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [off, whole] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [is, ought] = [found[i] as number, expected[i] as number];
    off += (is - ought) ** 2;
    whole += ought ** 2;
  }
  const length = Math.sqrt(whole);
  return Math.sqrt(off) / (length > NOTHING ? length : 1);
}

type Tensors = Readonly<Record<string, ArrayLike<number>>>;

/** The tensor that is furthest off, of those that are expected; a tensor too few or too many is infinitely far. */
export function worstOf(found: Tensors, expected: Tensors): number {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
  return Math.max(...[...names].map((name) => relativeError(found[name] ?? [], expected[name] ?? [])));
}

interface Adapted {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: string | readonly string[];
  readonly decomposed?: boolean;
}
export const configOf = ({ rank, alpha, targets, decomposed = false }: Adapted): LoraConfig => ({
  ...{ rank, alpha, targets, decomposed, dropout: 0 },
});
