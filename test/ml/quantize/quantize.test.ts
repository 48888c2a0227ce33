import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { seeded } from '../../../domain/random.ts';
import { openEncoder } from '../../../ml/encoder/open.ts';
import { newAdapter } from '../../../ml/lora/adapter.ts';
import { openQuantised } from '../../../ml/quantize/open.ts';
import { roundBlocks, roundChannels } from '../../../ml/quantize/rounding.ts';
import { SCHEMES, type SchemeName } from '../../../ml/quantize/scheme.ts';
import { quantiseEncoder } from '../../../ml/quantize/write.ts';
import { ServedEncoder } from '../../../ml/session/served-encoder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tinyModel } from '../../support/tiny-model.ts';

const CPU = { provider: 'cpu', threads: 1, arena: true } as const;
const TEXTS = ['the cat in the house', 'open the file and read a line of text', 'where is the blue bird?', 'a'];

const matrix = (outputs: number, inputs: number, seed: number): Float32Array => {
  const random = seeded(seed);
  return Float32Array.from({ length: outputs * inputs }, () => random() - 0.4);
};
const served = (folder: string): ServedEncoder => {
  const encoder = new ServedEncoder(folder, CPU);
  onTestFinished(() => encoder.close());
  return encoder;
};
const encode = (folder: string) => served(folder).encode({ texts: TEXTS, maxLength: 32, adapter: null });
const quantised = (scheme: SchemeName, base = tinyModel(temporaryFolder(), { hidden: 64, intermediate: 128 })) => {
  const folder = join(temporaryFolder(), 'quantised');
  quantiseEncoder(base, folder, SCHEMES[scheme]);
  return { base, folder };
};
/** The cosine of rows that are of length 1. */
const leastCosine = (a: Float32Array, b: Float32Array): number => {
  const width = a.length / TEXTS.length;
  const cosines = TEXTS.map((_, row) => {
    let sum = 0;
    for (let at = row * width; at < (row + 1) * width; at++) sum += (a[at] as number) * (b[at] as number);
    return sum;
  });
  return Math.min(...cosines);
};

test('a weight is off by half a step of its output at most', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      (seed, outputs, inputs) => {
        const weights = matrix(outputs, inputs, seed);
        const { values, scales } = roundChannels(weights, outputs, inputs);
        for (const [at, weight] of weights.entries()) {
          const [output, input] = [Math.floor(at / inputs), at % inputs];
          const scale = scales[output] as number;
          const back = (values[input * outputs + output] as number) * scale;
          expect(Math.abs(back - weight)).toBeLessThanOrEqual(scale * 0.5001);
        }
      },
    ),
  );
});

test('the largest weight of an output takes the largest number that there is', () => {
  const { values } = roundChannels(Float32Array.of(0.1, -0.5, 0.3, 0.2), 2, 2);
  expect([...values]).toEqual([25, 127, -127, 85]);
});

test.for([4, 8] as const)('a weight of %s bits is off by one step of its block at most', (bits) => {
  const [outputs, inputs, middle] = [5, 70, 2 ** (bits - 1)];
  const weights = matrix(outputs, inputs, bits);
  const { values, scales, shape } = roundBlocks(weights, outputs, inputs, { bits, block: 32 });
  const [, blocks = 0, bytes = 0] = shape;
  for (const [at, weight] of weights.entries()) {
    const [output, input] = [Math.floor(at / inputs), at % inputs];
    const block = output * blocks + Math.floor(input / 32);
    const k = input % 32;
    const code =
      bits === 8 ? values[block * bytes + k] : ((values[block * bytes + (k >> 1)] ?? 0) >> (4 * (k & 1))) & 15;
    const scale = scales[block] as number;
    expect(Math.abs(((code ?? 0) - middle) * scale - weight)).toBeLessThanOrEqual(Math.abs(scale) * 1.0001);
  }
});

test('a layer of zeros stays one', () => {
  expect([...roundChannels(new Float32Array(4), 2, 2).values]).toEqual([0, 0, 0, 0]);
  expect([...roundBlocks(new Float32Array(2), 1, 2, { bits: 8, block: 32 }).values]).toEqual(Array(32).fill(128));
});

test.for([
  ['int8', 0.99],
  ['blocks8', 0.999],
  ['blocks4', 0.95],
] as const)(
  'a model as %s gives vectors close to those it was made from, and not the same',
  async ([scheme, cosine]) => {
    const { base, folder } = quantised(scheme);
    const [before, after] = [await encode(base), await encode(folder)];
    expect(leastCosine(before, after)).toBeGreaterThan(cosine);
    expect(after).not.toEqual(before);
  },
);

test('a quantised model says what it was made from, and is taken for nothing else', () => {
  const { base, folder } = quantised('int8');
  expect(openQuantised(folder)?.quantisation).toEqual({ scheme: { method: 'int8' }, of: openEncoder(base).digest });
  expect(openQuantised(base)).toBeNull();
  expect(() => openEncoder(folder)).toThrow(/expected \[64, 64\] of F32/);
});

test('the same model quantised twice is the same file', () => {
  const { base, folder } = quantised('blocks8');
  const again = quantised('blocks8', base).folder;
  expect(readFileSync(join(again, 'model.safetensors')).equals(readFileSync(join(folder, 'model.safetensors')))).toBe(
    true,
  );
});

test('a quantised model is not quantised again', () => {
  const { folder } = quantised('int8');
  expect(() => quantised('int8', folder)).toThrow(/is quantised already/);
});

test('a quantised model takes no adapter, and says where to serve it', () => {
  const { base, folder } = quantised('int8');
  const adapter = newAdapter(openEncoder(base), { rank: 2, alpha: 2, dropout: 0, targets: ['query'] }, 1);
  expect(() => served(folder).addAdapter('a', adapter)).toThrow(/is quantised, and takes no adapter/);
});

test('weights of another scheme than it says are refused by name', () => {
  const { folder } = quantised('int8');
  const path = join(folder, 'quantization.json');
  const said = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...said, scheme: SCHEMES.blocks8 }));
  expect(() => openQuantised(folder)).toThrow(
    /encoder\.layer\.0\.attention\.self\.query\.weight: expected \[64,2,32\] of U8, found \[64,64\] of I8/,
  );
});
