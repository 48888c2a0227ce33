/** A tiny model on the disk, and the same with something changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, readFloats } from '../../ml/safetensors/read.ts';
import { type WrittenTensors, writeSafetensors } from '../../ml/safetensors/write.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { type TinyModel, tinyModel } from './tiny-model.ts';

export const tinyFolder = (options?: TinyModel): string => tinyModel(temporaryFolder(), options);

export const changeJson = (path: string, change: Readonly<Record<string, unknown>>): void =>
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));

/** Writes a file of safetensors anew, with its floats changed. */
export function changeTensors(path: string, change: (tensors: WrittenTensors) => WrittenTensors): void {
  const { tensors, metadata } = openSafetensors(path);
  const floats = [...tensors.values()].filter(({ dtype }) => dtype === 'F32');
  const read = floats.map((tensor) => [tensor.name, { shape: tensor.shape, data: readFloats(tensor) }]);
  writeSafetensors(path, change(Object.fromEntries(read)), metadata);
}

/** The model's floats in half precision, as Python would have rounded them. */
export function storeHalf(folder: string, dtype: 'F16' | 'BF16'): void {
  const { tensors } = openSafetensors(weightsOf(folder));
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const tensor of tensors.values()) {
    if (tensor.dtype !== 'F32') continue;
    const bytes = new Uint8Array(Uint16Array.from(readFloats(tensor), dtype === 'F16' ? halfOf : brainOf).buffer);
    header[tensor.name] = { dtype, shape: tensor.shape, data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(weightsOf(folder), Buffer.concat([length, json, ...parts]));
}

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** To the nearest, ties to even. */
const brainOf = (value: number): number => {
  floats[0] = value;
  const all = bits[0] as number;
  return (all + 0x7fff + ((all >>> 16) & 1)) >>> 16;
};

const halfOf = (value: number): number => {
  const [sign, size] = [value < 0 || Object.is(value, -0) ? 0x8000 : 0, Math.abs(value)];
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -30)));
  const steps = evenly(size / 2 ** (exponent - 10));
  // What is rounded up to the next power of two carries into the exponent by itself.
  return sign + (exponent === -14 ? steps : ((exponent + 14) << 10) + steps);
};

const evenly = (value: number): number => {
  const down = Math.floor(value);
  const over = value - down;
  return over > 0.5 || (over === 0.5 && down % 2 === 1) ? down + 1 : down;
};

export const weightsOf = (folder: string): string => join(folder, 'model.safetensors');
