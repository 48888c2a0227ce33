/** Safetensors from the disk: the header at once, the tensors when they are asked for. No pickle is ever read. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { PawlError } from '../../contracts/failures.ts';
import { HEADER_AT, LONGEST_HEADER, type Safetensors, type StoredTensor } from './format.ts';
import { floatOfHalf } from './half.ts';
import { parseHeader, unfit } from './header.ts';

export const openSafetensors = (path: string): Safetensors =>
  withFile(path, (file) => {
    const { size } = fstatSync(file);
    if (size < HEADER_AT) throw unfit(path, `it has ${size} bytes, not even the length of a header`);
    const length = Buffer.from(bytesAt(path, file, 0, HEADER_AT)).readBigUInt64LE();
    if (length > BigInt(LONGEST_HEADER)) {
      throw unfit(path, `its header says that it has ${length} bytes; ${LONGEST_HEADER} are the most`);
    }
    const headerLength = Number(length);
    if (HEADER_AT + headerLength > size) {
      throw unfit(path, `its header should have ${headerLength} bytes, but the file has ${size} in all`);
    }
    return parseHeader(path, bytesAt(path, file, HEADER_AT, headerLength), size);
  });

/** A tensor's bytes, in memory of their own. */
export const readBytes = ({ file: path, offset, length }: StoredTensor): Uint8Array =>
  withFile(path, (file) => bytesAt(path, file, offset, length));

export const readFloats = (tensor: StoredTensor): Float32Array => {
  const { name, dtype, file } = tensor;
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw unfit(file, `the tensor ${JSON.stringify(name)} is ${dtype}, and floats are wanted: F32, F16 or BF16`);
  }
  const { buffer, byteLength } = readBytes(tensor);
  if (dtype === 'F32') return new Float32Array(buffer, 0, byteLength / 4);
  const halves = new Uint16Array(buffer, 0, byteLength / 2);
  if (dtype === 'F16') return Float32Array.from(halves, floatOfHalf);
  return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
};

const withFile = <T>(path: string, work: (file: number) => T): T => {
  const file = opened(path);
  try {
    // A pipe would wait for ever, and a device has no end.
    if (!fstatSync(file).isFile()) throw unfit(path, 'it is no ordinary file');
    return work(file);
  } finally {
    closeSync(file);
  }
};

const opened = (path: string): number => {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw unreadable(path, cause);
  }
};

const bytesAt = (path: string, file: number, offset: number, length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const read = readSync(file, bytes, at, Math.min(length - at, 1 << 30), offset + at);
    if (read === 0) throw unfit(path, `it ends at byte ${offset + at}: it was shortened since it was opened`);
    at += read;
  }
  return bytes;
};

const unreadable = (path: string, cause: unknown): PawlError => {
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  if (missing) {
    return new PawlError('NotFound', `There is no file ${path}`, {
      hint: 'Weights are read as safetensors only; import the model again where its file was lost.',
      cause,
    });
  }
  return new PawlError('Unavailable', `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
    hint: 'Check that the file belongs to the user who runs Pawl, and that its disk is healthy.',
    cause,
  });
};
