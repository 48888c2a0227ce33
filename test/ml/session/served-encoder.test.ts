import { expect, onTestFinished, test } from 'vitest';
import { openEncoder } from '../../../ml/encoder/open.ts';
import { newAdapter } from '../../../ml/lora/adapter.ts';
import { ServedEncoder } from '../../../ml/session/served-encoder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tinyModel } from '../../support/tiny-model.ts';

const CPU = { provider: 'cpu', threads: 1, arena: true } as const;

const opened = () => {
  const folder = tinyModel(temporaryFolder());
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
