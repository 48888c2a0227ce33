import { expect, test } from 'vitest';
import { PARITY } from '../../../contracts/model.ts';
import { encoderGraph } from '../../../ml/encoder/graph.ts';
import { tokenInputs } from '../../../ml/encoder/tokens.ts';
import { Graph } from '../../../ml/graph/graph.ts';
import { adapterShape, newAdapter } from '../../../ml/lora/adapter.ts';
import { adapterFeeds, servedShape } from '../../../ml/lora/feeds.ts';
import { openSession } from '../../../ml/session/session.ts';
import { CONFIG, furthest, run, tinyEncoder, tokensOf, trainedAdapter, trainedOutput } from './running.ts';

test.each([{}, { decomposed: true }])('a fresh adapter changes nothing: %o', async (config) => {
  const model = tinyEncoder();
  const fresh = newAdapter(model, { ...CONFIG, ...config }, 1);
  expect(furthest(await trainedOutput(model, fresh), await run(model, null, {}))).toBeLessThan(1e-6);
});

test('A begins uniform within 1/√inputs, and B as zero', () => {
  const { tensors } = newAdapter(tinyEncoder(), { ...CONFIG, rank: 64 }, 1);
  const at = 'base_model.model.encoder.layer.0.output.dense';
  const a = [...(tensors.get(`${at}.lora_A.weight`)?.data ?? [])].map((value) => value * 8);
  expect(Math.max(...a)).toBeGreaterThan(0.99);
  expect(Math.min(...a)).toBeLessThan(-0.99);
  expect(Math.max(...a.map(Math.abs))).toBeLessThanOrEqual(1);
  expect(a.reduce((sum, value) => sum + value ** 2) / a.length).toBeCloseTo(1 / 3, 1);
  expect(tensors.get(`${at}.lora_B.weight`)?.data.every((value) => value === 0)).toBe(true);
});

test('the same seed gives the same adapter, another one another; and a layer begins alike whichever others there are', () => {
  const model = tinyEncoder();
  const numbers = (seed: number, targets: string | string[] = 'all-linear') =>
    newAdapter(model, { ...CONFIG, targets }, seed).tensors.get(
      'base_model.model.encoder.layer.1.attention.self.value.lora_A.weight',
    )?.data;
  expect(numbers(1)).toEqual(numbers(1));
  expect(numbers(1)).toEqual(numbers(1, ['value']));
  expect(numbers(1)).not.toEqual(numbers(2));
});

const SERVED = [
  {},
  { rankStabilised: true, rankPattern: { query: 2 }, targets: ['query', 'dense'] },
  { decomposed: true },
];

test.each(SERVED)('what is served is what was trained: %o', async (config) => {
  const model = tinyEncoder();
  const adapter = trainedAdapter(model, config);
  const served = servedShape(model, 'encoder', { decomposed: true });
  const found = await run(model, served, adapterFeeds(model, served, adapter));
  expect(furthest(found, await trainedOutput(model, adapter))).toBeLessThan(PARITY / 5);
  expect(furthest(found, await run(model, null, {}))).toBeGreaterThan(0.01);
});

test('one session of the base serves several adapters in turn, of different ranks and layers, and none', async () => {
  const model = tinyEncoder();
  const shape = servedShape(model);
  const graph = new Graph();
  graph.output('out', encoderGraph(graph, model, tokenInputs(graph), { adapter: shape, training: false }));
  const session = await openSession(graph.toModel(), model.folder, { provider: 'cpu', threads: 1, arena: true });
  const small = trainedAdapter(model, { rank: 1, targets: ['value'] });
  const large = trainedAdapter(model, { rank: 7, alpha: 2 }, { seed: 2 });
  for (const adapter of [small, null, large, small]) {
    const { out } = await session.run({ ...tokensOf(model), ...adapterFeeds(model, shape, adapter) });
    const expected = adapter ? await trainedOutput(model, adapter) : await run(model, null, {});
    expect(furthest([...(out?.data ?? [])], expected)).toBeLessThan(PARITY / 5);
  }
  await session.close();
});

test('a cross-encoder begins with the pooler of its encoder, and its head is served with the adapter', async () => {
  const model = tinyEncoder();
  const adapter = trainedAdapter(model, {}, { component: 'reranker' });
  const fresh = newAdapter(model, CONFIG, 1, 'reranker').tensors.get('base_model.model.bert.pooler.dense.weight')?.data;
  const same = trainedAdapter(model, {}, { component: 'reranker' }).tensors;
  expect(fresh).toHaveLength(32 * 32);
  expect([...same.keys()].filter((name) => !name.includes('lora_'))).toEqual([
    'base_model.model.bert.pooler.dense.weight',
    'base_model.model.bert.pooler.dense.bias',
    'base_model.model.classifier.weight',
    'base_model.model.classifier.bias',
  ]);
  const served = servedShape(model, 'reranker');
  const scores = await run(model, served, adapterFeeds(model, served, adapter));
  expect(scores).toHaveLength(3);
  expect(furthest(scores, await trainedOutput(model, adapter))).toBeLessThan(PARITY / 5);
  expect(new Set(scores).size).toBe(3);
});

test('an adapter of another base is refused, by the digest of the weights that it was trained over', () => {
  const adapter = trainedAdapter(tinyEncoder(1));
  expect(() => adapterShape(tinyEncoder(2), adapter)).toThrow(
    /trained over weights with the sha256:[0-9a-f]{64}, but .* has sha256:/,
  );
});

test('an adapter that says nothing of its base is taken by its shapes alone', () => {
  const adapter = { ...trainedAdapter(tinyEncoder(1)), base: 'somewhere/some-bert' };
  expect(adapterShape(tinyEncoder(2), adapter).layers.size).toBe(12);
});

const NAME = 'base_model.model.encoder.layer.1.output.dense.lora_A.weight';
const floats = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });

test.each([
  ['of another shape', floats(4, 32), /output\.dense\.lora_A\.weight: expected \[4, 64\], found \[4, 32\]/],
  ['that is missing', undefined, /output\.dense\.lora_A\.weight: expected \[4, 64\], found no tensor of that name/],
  ['that is no number', { shape: [4, 64], data: new Float32Array(256).fill(Number.NaN, 5, 6) }, /found NaN at 5/],
])('a tensor %s is refused by its name', (_, tensor, message) => {
  const model = tinyEncoder();
  const adapter = trainedAdapter(model);
  const tensors = new Map(adapter.tensors);
  if (tensor) tensors.set(NAME, tensor);
  else tensors.delete(NAME);
  expect(() => adapterShape(model, { ...adapter, tensors })).toThrow(message);
});

test('a tensor that the configuration does not name is refused, not passed over', () => {
  const model = tinyEncoder();
  const adapter = trainedAdapter(model, { targets: ['query'] });
  const tensors = new Map([...adapter.tensors, [NAME, floats(4, 64)]]);
  expect(() => adapterShape(model, { ...adapter, tensors })).toThrow(/output\.dense.*expected no such tensor/);
});

test('a session is not fed an adapter that it was not opened for', () => {
  const model = tinyEncoder();
  const served = servedShape(model);
  const reranker = trainedAdapter(model, {}, { component: 'reranker' });
  expect(() => adapterFeeds(model, served, trainedAdapter(model, { decomposed: true }))).toThrow(/weight-decomposed/);
  expect(() => adapterFeeds(model, served, reranker)).toThrow(/for the reranker, the session for the encoder/);
  expect(() => adapterFeeds(model, servedShape(model, 'reranker'), null)).toThrow(/no scores without its head/);
});
