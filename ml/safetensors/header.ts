/**
 * Reads a header that anyone may have written. What it answers holds:
 * 1. Every name stands once: JSON.parse would keep the last of two, and another reader the first.
 * 2. The tensors' bytes follow one another from the header to the end of the file, without overlap, gap or rest; so no
 *    byte can mean two things, and nothing can hide.
 * 3. A tensor's length is that of its type times its shape.
 */
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { DTYPES, HEADER_AT, METADATA, type Safetensors, type StoredTensor, WIDTH } from './format.ts';
import { repeatedKey } from './repeated-key.ts';

const whole = z.int().nonnegative();
const Entry = z.strictObject({
  dtype: z.enum(DTYPES),
  shape: z.array(whole).max(32),
  data_offsets: z.tuple([whole, whole]),
});
const Metadata = z.record(z.string(), z.string());
const Header = z.record(z.string(), z.unknown());

export const unfit = (path: string, why: string, cause?: unknown): PawlError =>
  new PawlError('ConfigInvalid', `${path} is no safetensors file that Pawl reads: ${why}`, {
    hint: 'Get the file again from where it came, and compare its digest; nothing of it was used.',
    ...(cause === undefined ? {} : { cause }),
  });

export const parseHeader = (path: string, header: Uint8Array, fileLength: number): Safetensors => {
  const text = textOf(path, header);
  const entries = objectOf(path, text);
  const twice = repeatedKey(text);
  if (twice !== null) throw unfit(path, `its header has the key ${JSON.stringify(twice)} twice`);

  const dataAt = HEADER_AT + header.length;
  const tensors: StoredTensor[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(entries)) {
    if (name === METADATA) metadata = checked(path, 'its metadata', Metadata, value);
    else tensors.push(tensorOf(path, name, value, dataAt));
  }
  refuseOverlapsAndGaps(path, tensors, dataAt, fileLength);
  return { path, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata };
};

const textOf = (path: string, header: Uint8Array): string => {
  // The reference implementation wants the brace at once, so that no two formats can share a file.
  if (header[0] !== 0x7b) throw unfit(path, 'its header does not begin with {');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch (cause) {
    throw unfit(path, 'its header is not UTF-8', cause);
  }
};

const objectOf = (path: string, text: string): Record<string, unknown> => {
  try {
    return Header.parse(JSON.parse(text));
  } catch (cause) {
    throw unfit(path, 'its header is no JSON object', cause);
  }
};

const tensorOf = (path: string, name: string, value: unknown, dataAt: number): StoredTensor => {
  const of = `the tensor ${JSON.stringify(name)}`;
  const { dtype, shape, data_offsets } = checked(path, of, Entry, value);
  const [begin, end] = data_offsets;
  const length = shape.reduce((product, size) => product * size, WIDTH[dtype]);
  if (end - begin !== length) {
    const promised = `${dtype} of shape [${shape.join(', ')}] takes ${length} bytes`;
    throw unfit(path, `${of} has ${end - begin} bytes, but ${promised}`);
  }
  return { name, dtype, shape, file: path, offset: dataAt + begin, length };
};

const refuseOverlapsAndGaps = (path: string, tensors: readonly StoredTensor[], dataAt: number, end: number): void => {
  const inOrder = tensors.toSorted((a, b) => a.offset - b.offset || a.length - b.length);
  let at = dataAt;
  for (const { name, offset, length } of inOrder) {
    const of = `the tensor ${JSON.stringify(name)}`;
    if (offset < at) throw unfit(path, `${of} overlaps the one before it by ${at - offset} bytes`);
    if (offset > at) throw unfit(path, `${offset - at} bytes before ${of} belong to no tensor`);
    at = offset + length;
    if (at > end) throw unfit(path, `${of} reaches ${at - end} bytes beyond the end of the file`);
  }
  if (at < end) throw unfit(path, `its last ${end - at} bytes belong to no tensor`);
};

const checked = <T>(path: string, what: string, schema: z.ZodType<T>, value: unknown): T => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path: at, message } = result.error.issues[0] ?? { path: [], message: 'not understood' };
  throw unfit(path, `${what}: ${[...at, message].join(': ')}`, result.error);
};
