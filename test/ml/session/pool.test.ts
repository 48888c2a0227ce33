import { expect, onTestFinished, test } from 'vitest';
import type { LoraConfig } from '../../../contracts/lora.ts';
import { seeded } from '../../../domain/random.ts';
import { openEncoder } from '../../../ml/encoder/open.ts';
import { type Adapter, newAdapter } from '../../../ml/lora/adapter.ts';
import { EncoderPool, type EncoderPoolOptions } from '../../../ml/session/pool.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { TINY_VOCABULARY, tinyModel } from '../../support/tiny-model.ts';

const CPU = { provider: 'cpu', threads: 1, arena: true } as const;
const QUERY = { side: 'query', maxLength: 32 } as const;
const DOCUMENT = { side: 'document', maxLength: 32 } as const;
const LORA: LoraConfig = { rank: 4, alpha: 8, dropout: 0, targets: ['query', 'value'] };

/** Of many lengths, so that they fall into several batches. */
const texts = Array.from({ length: 700 }, (_, n) => {
  const random = seeded(n);
  const words = 1 + Math.floor(random() * 40);
  return Array.from({ length: words }, () => TINY_VOCABULARY[70 + Math.floor(random() * 100)] ?? 'cat').join(' ');
});

/** B is not zero, so that it changes every vector. */
const adapterOf = (folder: string, seed: number, config = LORA): Adapter => {
  const adapter = newAdapter(openEncoder(folder), config, seed);
  const random = seeded(seed);
  for (const { data } of adapter.tensors.values()) for (const at of data.keys()) data[at] = random() - 0.5;
  return adapter;
};

const opened = async (options: Partial<EncoderPoolOptions> = {}): Promise<EncoderPool> => {
  const folder = options.folder ?? tinyModel(temporaryFolder());
  const pool = await EncoderPool.open({ folder, choice: CPU, size: 1, ...options });
  onTestFinished(() => pool.close());
  return pool;
};
const row = (vectors: Float32Array, at: number, width: number) => vectors.subarray(at * width, (at + 1) * width);
const furthest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, x, at) => Math.max(most, Math.abs(x - (b[at] ?? 9))), 0);

test('vectors come back in the order of the texts', async () => {
  const pool = await opened({ size: 2 });
  const all = await pool.encode(texts, DOCUMENT);
  expect(all.length).toBe(texts.length * pool.dimensions);
  for (const at of [0, 1, 350, 699]) {
    const alone = await pool.encode([texts[at] as string], DOCUMENT);
    expect(furthest(row(all, at, pool.dimensions), alone)).toBeLessThan(1e-6);
  }
});

test('the vectors are the same to the last bit however many threads there are', async () => {
  const folder = tinyModel(temporaryFolder());
  const [one, three] = [await opened({ folder }), await opened({ folder, size: 3 })];
  const [of1, of3] = await Promise.all([one.encode(texts, DOCUMENT), three.encode(texts, DOCUMENT)]);
  expect(Buffer.from(of1.buffer).equals(Buffer.from(of3.buffer))).toBe(true);
});

test('no text gives no vectors', async () => {
  expect(await (await opened()).encode([], QUERY)).toEqual(new Float32Array());
});

test('an adapter for queries leaves documents as the base has them', async () => {
  const folder = tinyModel(temporaryFolder());
  const adapter = adapterOf(folder, 1);
  const [base, queries, both] = [
    await opened({ folder }),
    await opened({ folder, adapter, adapterSide: 'query' }),
    await opened({ folder, adapter }),
  ];
  const some = texts.slice(0, 5);
  const plain = await base.encode(some, DOCUMENT);
  expect(await queries.encode(some, DOCUMENT)).toEqual(plain);
  expect(furthest(await queries.encode(some, QUERY), plain)).toBeGreaterThan(1e-3);
  expect(await both.encode(some, DOCUMENT)).toEqual(await queries.encode(some, QUERY));
});

test('an adapter is swapped between calls: what was asked before it is answered by the one before', async () => {
  const folder = tinyModel(temporaryFolder());
  const [first, second] = [adapterOf(folder, 1), adapterOf(folder, 2, { ...LORA, rank: 2 })];
  const pool = await opened({ folder, adapter: first, size: 2 });
  const before = pool.encode(texts, QUERY);
  await pool.use(second);
  const after = pool.encode(texts, QUERY);
  await pool.use(null);
  expect(await before).toEqual(await (await opened({ folder, adapter: first })).encode(texts, QUERY));
  expect(await after).toEqual(await (await opened({ folder, adapter: second })).encode(texts, QUERY));
  expect(await pool.encode(texts, QUERY)).toEqual(await (await opened({ folder })).encode(texts, QUERY));
});

test('adapters that were added are used by the calls that name them, and by no others', async () => {
  const folder = tinyModel(temporaryFolder());
  const pool = await opened({ folder });
  const one = (options: object) => pool.encode(['the cat'], { side: 'query', maxLength: 16, ...options });
  const base = await one({});
  const [first, second] = [await pool.add(adapterOf(folder, 1)), await pool.add(adapterOf(folder, 2))];
  const [a, b] = [await one({ adapter: first }), await one({ adapter: second })];
  expect(a).not.toEqual(b);
  expect(await one({})).toEqual(base);
  expect(await one({ adapter: null })).toEqual(base);
  await pool.remove(second);
  expect(await one({ adapter: first })).toEqual(a);
  await expect(one({ adapter: second })).rejects.toThrow('No adapter was given');
});

test('an adapter of another base is refused, and the one before stays', async () => {
  const folder = tinyModel(temporaryFolder());
  const adapter = adapterOf(folder, 1);
  const pool = await opened({ folder, adapter });
  const before = await pool.encode(texts.slice(0, 3), QUERY);
  const stranger = adapterOf(tinyModel(temporaryFolder(), { seed: 2 }), 1);
  await expect(pool.use(stranger)).rejects.toMatchObject({ type: 'Refused' });
  expect(await pool.encode(texts.slice(0, 3), QUERY)).toEqual(before);
});

test('more texts than the bound are refused at once, and there is room again when some are done', async () => {
  const pool = await opened({ mostTexts: 100 });
  const first = pool.encode(texts.slice(0, 90), QUERY);
  await expect(pool.encode(texts.slice(0, 11), QUERY)).rejects.toMatchObject({
    type: 'Unavailable',
    message: '90 texts are being encoded; with 11 more it would be over 100',
  });
  await first;
  expect((await pool.encode(texts.slice(0, 100), QUERY)).length).toBe(100 * pool.dimensions);
});

test('pairs are scored by an adapter with a head, in their order', async () => {
  const folder = tinyModel(temporaryFolder());
  const adapter = newAdapter(openEncoder(folder), LORA, 1, 'reranker');
  const pool = await opened({ folder, adapter, size: 2 });
  const pairs = texts.slice(0, 300).map((text, n) => [texts[n + 1] as string, text] as const);
  const scores = await pool.score(pairs, { maxLength: 48 });
  const alone = await Promise.all(
    [0, 150, 299].map((at) => pool.score([pairs[at] as [string, string]], { maxLength: 48 })),
  );
  expect(new Set(scores).size).toBeGreaterThan(200);
  for (const [n, at] of [0, 150, 299].entries()) expect(scores[at]).toBeCloseTo(alone[n]?.[0] ?? Number.NaN, 5);
});

test('the base alone scores no pairs, and says what does', async () => {
  await expect((await opened()).score([['a', 'b']], { maxLength: 16 })).rejects.toMatchObject({ type: 'Usage' });
});
