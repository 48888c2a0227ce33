/**
 * Safetensors as every other reader takes them.
 *
 * 1. The same tensors give the same bytes, in whatever order they come: wide types first, then by name; so a digest
 *    names the content.
 * 2. A file under its final name is whole and on the disk: written beside it, synced, renamed, folder synced.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { LONGEST_HEADER, METADATA, type StoredType, WIDTH } from './format.ts';

export type TensorData = Float32Array | BigInt64Array | Int32Array | Uint8Array | Int8Array;
export interface WrittenTensor {
  readonly shape: readonly number[];
  readonly data: TensorData;
}
export type WrittenTensors = Readonly<Record<string, WrittenTensor>>;
type Metadata = Readonly<Record<string, string>>;

/** transformers asks for this, and reads nothing else of it. */
const FROM_PYTORCH: Metadata = { format: 'pt' };

export const safetensorsBytes = (tensors: WrittenTensors, metadata: Metadata = FROM_PYTORCH): Uint8Array =>
  new Uint8Array(Buffer.concat(parts(tensors, metadata)));

export const writeSafetensors = (path: string, tensors: WrittenTensors, metadata: Metadata = FROM_PYTORCH): void => {
  const pieces = parts(tensors, metadata);
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = openSync(temporary, 'wx', 0o644);
    try {
      for (const piece of pieces) writeWhole(file, piece);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(folder);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw unwritable(path, cause);
  }
};

const parts = (tensors: WrittenTensors, metadata: Metadata): Uint8Array[] => {
  const named = Object.entries(tensors).map(([name, tensor]) => ({ name, ...tensor, dtype: typeOf(name, tensor) }));
  named.sort((a, b) => WIDTH[b.dtype] - WIDTH[a.dtype] || (a.name < b.name ? -1 : 1));
  const entries: [string, unknown][] = [];
  let at = 0;
  for (const { name, dtype, shape, data } of named) {
    entries.push([name, { dtype, shape, data_offsets: [at, at + data.byteLength] }]);
    at += data.byteLength;
  }
  const inOrder = Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
  const told: [string, unknown][] = Object.keys(inOrder).length === 0 ? [] : [[METADATA, inOrder]];
  const header = headerBytes(Object.fromEntries([...told, ...entries]));
  return [header, ...named.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
};

/** Padded with spaces, so that the tensors begin at a multiple of eight and may be used where they lie. */
const headerBytes = (header: Record<string, unknown>): Uint8Array => {
  const json = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > LONGEST_HEADER) throw new PawlError('Usage', `A header of ${padded} bytes is too long for safetensors`);
  const bytes = Buffer.alloc(8 + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded));
  bytes.set(json, 8);
  return bytes;
};

const typeOf = (name: string, { shape, data }: WrittenTensor): StoredType => {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (name === METADATA || elements !== data.length) {
    const message = `The tensor ${JSON.stringify(name)} of shape [${shape.join(', ')}] has ${data.length} elements`;
    throw new PawlError('Usage', message, {
      hint: 'A tensor has as many elements as its shape says, and a name of its own.',
    });
  }
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof Int32Array) return 'I32';
  return data instanceof Int8Array ? 'I8' : 'U8';
};

const writeWhole = (file: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(bytes.length - at, 1 << 30));
};

const syncFolder = (folder: string): void => {
  if (process.platform === 'win32') return; // Windows has no handle on a folder to sync.
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

const unwritable = (path: string, cause: unknown): PawlError => {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PawlError('DiskFull', `No space left for ${path}`, {
      hint: 'Nothing was written. Free some space.',
      cause,
    });
  }
  return new PawlError('Unavailable', `${path} cannot be written: ${cause instanceof Error ? cause.message : cause}`, {
    hint: 'Check that the folder is there and belongs to the user who runs Pawl.',
    cause,
  });
};
