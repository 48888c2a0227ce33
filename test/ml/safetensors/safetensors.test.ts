import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openSafetensors, readBytes, readFloats } from '../../../ml/safetensors/read.ts';
import { safetensorsBytes, type WrittenTensors, writeSafetensors } from '../../../ml/safetensors/write.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Written by Python's safetensors: see bench/parity. */
const FROM_PYTHON = fileURLToPath(new URL('../../fixtures/ml/gradients.safetensors', import.meta.url));

/** A file with this header, which a test spells as it likes, and so many bytes after it. */
const fileWith = (header: object | string | Uint8Array, data: number | Uint8Array = 0, says?: bigint): string => {
  const path = join(temporaryFolder(), 'model.safetensors');
  const spelled = typeof header === 'string' || header instanceof Uint8Array ? header : JSON.stringify(header);
  const json = Buffer.from(spelled);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(says ?? BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, typeof data === 'number' ? Buffer.alloc(data) : data]));
  return path;
};
const tensor = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  ...{ dtype, shape, data_offsets: [begin, end] },
});
const refusal = (path: string): { type?: string; message?: string } => {
  try {
    openSafetensors(path);
  } catch (error) {
    return error as Error;
  }
  return {};
};

describe('a file that is taken', () => {
  test('gives its tensors, where they lie, and its metadata', () => {
    const path = fileWith({ b: tensor(0, 8, [2, 1]), __metadata__: { format: 'pt' }, a: tensor(8, 12) }, 12);
    const { tensors, metadata } = openSafetensors(path);
    const dataAt = readFileSync(path).length - 12;
    expect(metadata).toEqual({ format: 'pt' });
    expect([...tensors.keys()]).toEqual(['b', 'a']);
    expect(tensors.get('a')).toEqual({
      name: 'a',
      dtype: 'F32',
      shape: [1],
      file: path,
      offset: dataAt + 8,
      length: 4,
    });
  });

  test('may hold nothing, scalars and tensors without an element', () => {
    expect(openSafetensors(fileWith({})).tensors.size).toBe(0);
    const { tensors } = openSafetensors(fileWith({ none: tensor(0, 0, [0, 3]), one: tensor(0, 4, []) }, 4));
    expect([...tensors.values()].map(readFloats)).toEqual([new Float32Array(0), Float32Array.of(0)]);
  });

  test('may have its tensors at any byte', () => {
    const floats = Buffer.from(Float32Array.of(1.5, -2).buffer);
    const data = Buffer.concat([Buffer.of(7), floats]);
    const { tensors } = openSafetensors(fileWith({ u: tensor(0, 1, [1], 'U8'), f: tensor(1, 9, [2]) }, data));
    expect([...tensors.values()].map(({ offset }) => offset % 4)).not.toEqual([0, 0]);
    expect([...tensors.values()].slice(1).map(readFloats)).toEqual([Float32Array.of(1.5, -2)]);
  });

  test('gives halves and brain floats as floats, each exactly', () => {
    const halves = [0x0000, 0x8000, 0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x7c00, 0xfc00, 0x3555];
    const brain = [0x3f80, 0xc000, 0x7f80, 0x0001];
    const words = Uint16Array.from([...halves, ...brain]);
    const header = { h: tensor(0, 20, [10], 'F16'), b: tensor(20, 28, [4], 'BF16') };
    const { tensors } = openSafetensors(fileWith(header, Buffer.from(words.buffer)));
    const [h, b] = [...tensors.values()].map((one) => [...readFloats(one)]);
    const least = 2 ** -24;
    expect(h).toEqual([0, -0, 1, -2, least, 1023 * least, 65504, Infinity, -Infinity, 0.333251953125]);
    expect(b).toEqual([1, -2, Infinity, 2 ** -133]);
  });
});

describe('a file that is refused', () => {
  const U8 = (begin: number, end: number) => tensor(begin, end, [end - begin], 'U8');
  const cases: ReadonlyArray<readonly [what: string, file: () => string, says: RegExp]> = [
    ['has an empty header', () => fileWith(''), /does not begin with \{/],
    ['has a header longer than itself', () => fileWith('{}', 0, 3n), /should have 3 bytes/],
    ['has a header that begins with anything but {', () => fileWith(' {}'), /does not begin with/],
    ['has a header that is no object', () => fileWith('{"a"'), /no JSON object/],
    ['has a header that is no UTF-8', () => fileWith(Buffer.from('7b22ff22', 'hex')), /not UTF-8/],
    ['has a tensor of another type', () => fileWith({ a: tensor(0, 8, [1], 'F64') }, 8), /"a": dtype/],
    ['has a tensor without a shape', () => fileWith({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), /"a": shape/],
    ['has a shape below zero', () => fileWith({ a: tensor(0, 4, [-1]) }, 4), /"a": shape: 0/],
    ['has a field that nobody knows', () => fileWith({ a: { ...tensor(0, 4), more: 1 } }, 4), /"a":/],
    [
      'has more bytes than the shape says',
      () => fileWith({ a: tensor(0, 8, [1]) }, 8),
      /has 8 bytes, but F32 of shape \[1\] takes 4/,
    ],
    ['has fewer bytes than the shape says', () => fileWith({ a: tensor(0, 4, [2]) }, 4), /takes 8/],
    [
      'has a shape beyond all numbers',
      () => fileWith({ a: tensor(0, 0, [2 ** 52, 2 ** 52, 0, 2 ** 52]) }, 1),
      /belong to no tensor/,
    ],
    ['has metadata that is no text', () => fileWith({ __metadata__: { a: 1 } }), /metadata/],
    ['ends before its start', () => fileWith({ a: tensor(4, 0, [0]) }, 4), /-4 bytes/],
    ['has a gap', () => fileWith({ a: U8(0, 4), b: U8(5, 8) }, 8), /1 bytes before the tensor "b"/],
    ['has bytes before its first tensor', () => fileWith({ a: U8(1, 4) }, 4), /1 bytes before/],
    ['has bytes after its last tensor', () => fileWith({ a: U8(0, 4) }, 5), /last 1 bytes/],
    ['has a tensor beyond its end', () => fileWith({ a: U8(0, 4) }, 3), /1 bytes beyond the end/],
    [
      'has a name twice',
      () =>
        fileWith(
          '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
          1,
        ),
      /key "a" twice/,
    ],
    [
      'has a field twice',
      () => fileWith('{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1),
      /key "shape" twice/,
    ],
  ];
  test.each(cases)('%s', (_, file, says) => {
    expect(refusal(file())).toMatchObject({ type: 'ConfigInvalid', message: expect.stringMatching(says) });
  });

  test('is too short to say how long its header is', () => {
    const path = join(temporaryFolder(), 'short');
    writeFileSync(path, Buffer.alloc(7));
    expect(refusal(path)).toMatchObject({ type: 'ConfigInvalid', message: expect.stringMatching('7 bytes') });
  });

  test('is none at all', () => {
    expect(refusal(temporaryFolder())).toMatchObject({ type: 'ConfigInvalid' });
    expect(refusal(join(temporaryFolder(), 'nowhere'))).toMatchObject({ type: 'NotFound' });
  });

  test('is shortened between the look at its header and the reading of a tensor', () => {
    const path = fileWith({ a: tensor(0, 8) }, 8);
    const { tensors } = openSafetensors(path);
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    expect(() => [...tensors.values()].map(readBytes)).toThrow(/shortened/);
  });

  test('holds whole numbers where floats are wanted', () => {
    const { tensors } = openSafetensors(fileWith({ ids: tensor(0, 8, [1], 'I64') }, 8));
    expect(() => [...tensors.values()].map(readFloats)).toThrow(/"ids" is I64/);
  });
});

describe('what is written', () => {
  const tensors: WrittenTensors = {
    zeta: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
    alpha: { shape: [3], data: Int8Array.of(1, -2, 3) },
    Ωmega: { shape: [], data: BigInt64Array.of(-5n) },
  };

  test('is read back as it was', () => {
    const path = join(temporaryFolder(), 'out.safetensors');
    writeSafetensors(path, tensors, { made: 'here' });
    const read = openSafetensors(path);
    expect(read.metadata).toEqual({ made: 'here' });
    expect([...read.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['Ωmega', 'I64', []],
      ['zeta', 'F32', [2, 2]],
      ['alpha', 'I8', [3]],
    ]);
    expect(readFloats(read.tensors.get('zeta') ?? expect.fail())).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(readBytes(read.tensors.get('alpha') ?? expect.fail())).toEqual(Uint8Array.of(1, 254, 3));
  });

  test('is the same bytes in whatever order it comes, and of a part of a larger memory', () => {
    const turned = Object.fromEntries(Object.entries(tensors).reverse());
    expect(safetensorsBytes(turned)).toEqual(safetensorsBytes(tensors));
    const part = Float32Array.of(9, 1, 2, 3, 4, 9).subarray(1, 5);
    expect(safetensorsBytes({ ...tensors, zeta: { shape: [2, 2], data: part } })).toEqual(safetensorsBytes(tensors));
  });

  test("is what Python's safetensors writes, byte for byte", () => {
    const read = openSafetensors(FROM_PYTHON);
    expect(read.tensors.size).toBeGreaterThan(10);
    const again = Object.fromEntries(
      [...read.tensors].map(([name, one]) => {
        expect(one.dtype).toBe('F32');
        return [name, { shape: one.shape, data: readFloats(one) }];
      }),
    );
    expect(Buffer.from(safetensorsBytes(again, read.metadata)).equals(readFileSync(FROM_PYTHON))).toBe(true);
  });

  test('replaces a file as a whole, and leaves nothing beside it', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'out.safetensors');
    writeFileSync(path, 'before');
    writeSafetensors(path, tensors);
    expect(openSafetensors(path).tensors.size).toBe(3);
    expect(readdirSync(folder)).toEqual(['out.safetensors']);
  });

  test('leaves the file as it was when it cannot be written, and nothing beside it', () => {
    const folder = temporaryFolder();
    expect(() => writeSafetensors(join(folder, 'no', 'where.safetensors'), tensors)).toThrow(/cannot be written/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('has as many elements as its shape says', () => {
    expect(() => safetensorsBytes({ a: { shape: [3], data: new Float32Array(2) } })).toThrow(
      /"a" of shape \[3\] has 2/,
    );
    expect(() => safetensorsBytes({ __metadata__: { shape: [1], data: new Float32Array(1) } })).toThrow(/__metadata__/);
  });
});
