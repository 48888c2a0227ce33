import { expect, onTestFinished, test } from 'vitest';
import { openEncoder } from '../../../ml/encoder/open.ts';
import { newAdapter } from '../../../ml/lora/adapter.ts';
import { ServedEncoder } from '../../../ml/session/served-encoder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type TinyModel, tinyModel } from '../../support/tiny-model.ts';

const CPU = { provider: 'cpu', threads: 1, arena: true } as const;

const opened = (model: TinyModel = {}) => {
  const folder = tinyModel(temporaryFolder(), model);
  const encoder = new ServedEncoder(folder, CPU);
  onTestFinished(() => encoder.close());
  const over = (targets: readonly string[], rank: number) =>
    newAdapter(openEncoder(folder), { rank, alpha: 8, dropout: 0, targets }, 1);
  const encode = (adapter: string | null, texts = ['the cat']) => encoder.encode({ texts, maxLength: 16, adapter });
  return { encoder, over, encode };
};

test('adapters over the same layers share a session, whatever their ranks', async () => {
  const { encoder, over, encode } = opened();
  encoder.addAdapter('a', over(['query', 'value'], 4));
  encoder.addAdapter('b', over(['query', 'value'], 8));
  await Promise.all([encode('a'), encode('b')]);
  expect(encoder.sessions).toBe(1);
  encoder.addAdapter('c', over(['key'], 4));
  await Promise.all([encode('c'), encode(null)]);
  expect(encoder.sessions).toBe(3);
});

test.each(['mean', 'cls'] as const)(
  'a text alone has the vector that it has among others, pooled by %s',
  async (pooling) => {
    const { encoder, over, encode } = opened({ pooling });
    encoder.addAdapter('a', over(['query', 'value'], 4));
    const texts = ['the cat in the tree', 'a dog', 'which fish is in the river'];
    for (const adapter of [null, 'a']) {
      const together = await encode(adapter, texts);
      const width = encoder.model.dimensions;
      for (const [row, text] of texts.entries()) {
        const alone = await encode(adapter, [text]);
        for (const [at, value] of alone.entries()) expect(value).toBeCloseTo(together[row * width + at] as number, 6);
      }
    }
  },
);

test('a pair alone has the score that it has among others', async () => {
  const { encoder } = opened();
  const config = { rank: 4, alpha: 8, dropout: 0, targets: ['query'] };
  encoder.addAdapter('a', newAdapter(encoder.model, config, 1, 'reranker'));
  const pairs = [
    ['a cat', 'the cat in the tree'],
    ['which dog', 'a fish'],
  ] as const;
  const scored = (some: typeof pairs | [(typeof pairs)[number]]) =>
    encoder.score({ pairs: some, maxLength: 32, adapter: 'a' });
  const together = await scored(pairs);
  for (const [row, pair] of pairs.entries()) expect((await scored([pair]))[0]).toBeCloseTo(together[row] as number, 6);
});

test('a fresh adapter changes nothing', async () => {
  const { encoder, over, encode } = opened();
  encoder.addAdapter('fresh', over(['query', 'value'], 4));
  const [base, fresh] = [await encode(null), await encode('fresh')];
  for (const [at, value] of base.entries()) expect(fresh[at]).toBeCloseTo(value, 6);
});

test('a text loses what is over its length, and nothing else', async () => {
  const { encode } = opened();
  const long = ['the cat in the house and the dog in the tree and the fish in the river and the bird'];
  const beginning = ['the cat in the house and the dog in the tree and the fish'];
  expect(await encode(null, long)).toEqual(await encode(null, beginning));
});

test('an adapter of an encoder scores no pairs', async () => {
  const { encoder, over } = opened();
  encoder.addAdapter('a', over(['query'], 4));
  await expect(encoder.score({ pairs: [['a', 'b']], maxLength: 16, adapter: 'a' })).rejects.toMatchObject({
    type: 'Usage',
    message: 'The adapter is for the encoder, and the reranker is asked for',
  });
});
