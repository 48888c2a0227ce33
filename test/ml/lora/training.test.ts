import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encoderGraph } from '../../../ml/encoder/graph.ts';
import { tokenInputs } from '../../../ml/encoder/tokens.ts';
import { Graph } from '../../../ml/graph/graph.ts';
import { adapterShape } from '../../../ml/lora/adapter.ts';
import { dropoutFeeds } from '../../../ml/lora/dropout.ts';
import { saveAdapter } from '../../../ml/lora/files.ts';
import { openSafetensors } from '../../../ml/safetensors/read.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import {
  furthest,
  parameterFeeds,
  run,
  runGraph,
  TEXTS,
  tinyEncoder,
  tokensOf,
  trainedAdapter,
  trainedOutput,
} from './running.ts';

const tokensIn = (model: ReturnType<typeof tinyEncoder>): number => tokensOf(model).ids?.data.length as number;

test.each([{}, { decomposed: true }])(
  'the same seed drops the same inputs, another seed others: %o',
  async (config) => {
    const model = tinyEncoder();
    const adapter = trainedAdapter(model, { dropout: 0.3, ...config });
    const dropped = (seed: number) =>
      trainedOutput(model, adapter, dropoutFeeds(adapterShape(model, adapter), tokensIn(model), seed));
    const whole = await trainedOutput(model, { ...adapter, config: { ...adapter.config, dropout: 0 } });
    expect(await dropped(1)).toEqual(await dropped(1));
    expect(furthest(await dropped(1), await dropped(2))).toBeGreaterThan(1e-3);
    expect(furthest(await dropped(1), whole)).toBeGreaterThan(1e-3);
  },
);

test('the share that is asked for is dropped, what is kept is raised by as much, and layers differ in where they begin', () => {
  const model = tinyEncoder();
  const shape = adapterShape(model, trainedAdapter(model, { dropout: 0.25 }));
  const { 'dropout.pool': pool, 'dropout.starts': starts } = dropoutFeeds(shape, 100, 7);
  const values = Array.from(pool?.data ?? [], Number);
  expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  expect(values.filter((value) => value === 0).length / values.length).toBeCloseTo(0.25, 2);
  expect(new Set(Array.from(starts?.data ?? [], Number)).size).toBe(12);
  const last = Math.max(...Array.from(starts?.data ?? [], Number));
  expect(last + 100 * 64).toBeLessThanOrEqual(values.length);
});

test('an adapter without dropout is fed none', () => {
  const model = tinyEncoder();
  expect(dropoutFeeds(adapterShape(model, trainedAdapter(model)), 100, 7)).toEqual({});
});

test('an adapter for queries leaves documents as the base has them, and no backward pass runs through them', async () => {
  const model = tinyEncoder();
  const adapter = trainedAdapter(model);
  const shape = adapterShape(model, adapter);
  const graph = new Graph();
  const queries = encoderGraph(graph, model, tokenInputs(graph), { adapter: shape, training: true });
  const documents = encoderGraph(graph, model, tokenInputs(graph, 'document.'), { training: true });
  graph.output('documents', documents);
  graph.output('queries', queries);
  const loss = graph.sum(graph.matmul(queries, documents, { transB: true }), [0, 1], false);
  for (const [i, gradient] of graph.gradients(loss, graph.params).entries()) graph.output(`gradient ${i}`, gradient);
  expect(documents.needsGradient).toBe(false);
  const feeds = {
    ...tokensOf(model),
    ...tokensOf(model, false, TEXTS.toReversed(), 'document.'),
    ...parameterFeeds(adapter),
  };
  const found = await runGraph(model, graph, feeds);
  expect(furthest(found.queries ?? [], await trainedOutput(model, adapter))).toBeLessThan(1e-6);
  const base = await run(model, null, {});
  const reversed = [base.slice(64, 96), base.slice(32, 64), base.slice(0, 32)].flat();
  expect(furthest(found.documents ?? [], reversed)).toBeLessThan(1e-6);
  expect(Object.keys(found).filter((name) => name.startsWith('gradient'))).toHaveLength(24);
});

test('the base is in a graph once, though two encoders run over it', () => {
  const model = tinyEncoder();
  const size = (encoders: number) => {
    const graph = new Graph();
    for (let n = 0; n < encoders; n++) {
      graph.output(`out ${n}`, encoderGraph(graph, model, tokenInputs(graph, `${n}.`), { training: false }));
    }
    return Buffer.from(graph.toModel()).toString('latin1').split('model.safetensors').length - 1;
  };
  expect(size(2)).toBe(size(1));
});

test('an adapter is a small file beside its base: 8 ranks over a layer of a base of 384 take 216 KiB', () => {
  const model = tinyEncoder();
  const folder = temporaryFolder();
  saveAdapter(folder, trainedAdapter(model, { rank: 8 }));
  const { tensors } = openSafetensors(join(folder, 'adapter_model.safetensors'));
  const bytes = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
  // Per layer: four squares, and two between hidden and intermediate.
  const perLayer = (hidden: number, intermediate: number) => 4 * 8 * (4 * 2 * hidden + 2 * (hidden + intermediate));
  expect(bytes).toBe(2 * perLayer(32, 64));
  expect(perLayer(384, 1536)).toBe(216 * 1024);
});
