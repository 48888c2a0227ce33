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

export const weightsOf = (folder: string): string => join(folder, 'model.safetensors');
