import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEncoder } from '../../../ml/encoder/open.ts';
import { mergedWeights, unmergedWeights, writeMerged } from '../../../ml/lora/merge.ts';
import { readFloats } from '../../../ml/safetensors/read.ts';
import { openTokenizer } from '../../../ml/tokenizer/open.ts';
import { changeTensors, storeHalf, tinyFolder, weightsOf } from '../../support/model-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { furthest, run, tinyEncoder, trainedAdapter, trainedOutput } from './running.ts';

test.each([{}, { decomposed: true }, { rankStabilised: true, targets: ['value', 'dense'] }])(
  'a model with the adapter merged in gives what base and adapter give together: %o',
  async (config) => {
    const model = tinyEncoder();
    const adapter = trainedAdapter(model, config);
    const folder = tinyFolder();
    copyFileSync(weightsOf(model.folder), weightsOf(folder));
    const merged = mergedWeights(model, adapter);
    changeTensors(weightsOf(folder), (tensors) =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, data: merged.get(name) ?? tensor.data }]),
      ),
    );
    expect(furthest(await run(openEncoder(folder), null, {}), await trainedOutput(model, adapter))).toBeLessThan(2e-6);
  },
);

test.each(['F32', 'F16', 'BF16'] as const)(
  'a merged model is a folder of its own, over a base of %s',
  async (dtype) => {
    const base = tinyFolder();
    if (dtype !== 'F32') storeHalf(base, dtype);
    const model = openEncoder(base);
    const adapter = trainedAdapter(model);
    const into = join(temporaryFolder(), 'merged');
    writeFileSync(join(base, 'imported.json'), '{}');
    writeMerged(model, adapter, into);
    const merged = openEncoder(into);
    expect(furthest(await run(merged, null, {}), await trainedOutput(model, adapter))).toBeLessThan(1e-5);
    const texts = ['read the file'];
    expect(openTokenizer(into).encode(texts, 16)).toEqual(openTokenizer(base).encode(texts, 16));
    expect([merged.pooling, merged.normalise, merged.maxLength]).toEqual([
      model.pooling,
      model.normalise,
      model.maxLength,
    ]);
    expect(existsSync(join(into, 'imported.json'))).toBe(false);
  },
);

test("a reranker's adapter is not merged: its head has no place in an encoder", () => {
  const model = tinyEncoder();
  const into = join(temporaryFolder(), 'merged');
  expect(() => writeMerged(model, trainedAdapter(model, {}, { component: 'reranker' }), into)).toThrow(
    /a head of its own/,
  );
  expect(existsSync(into)).toBe(false);
});

test.each([{}, { decomposed: true }])('taking an adapter out gives the base back, bit for bit: %o', (config) => {
  const model = tinyEncoder();
  const adapter = trainedAdapter(model, config);
  const merged = mergedWeights(model, adapter);
  const back = unmergedWeights(model, adapter, merged);
  expect([...back.keys()]).toEqual([...merged.keys()]);
  for (const [name, weight] of back) {
    expect(weight).toEqual(readFloats(model.weights.tensors.get(name) as Parameters<typeof readFloats>[0]));
    expect(weight).not.toEqual(merged.get(name));
  }
});

test('another adapter than the one that was merged cannot be taken out', () => {
  const model = tinyEncoder();
  const merged = mergedWeights(model, trainedAdapter(model));
  const other = trainedAdapter(model, {}, { seed: 2 });
  expect(() => unmergedWeights(model, other, merged)).toThrow(
    /encoder\.layer\.0.* was not merged from this base and this adapter/,
  );
});

test('merging leaves the file of the base alone', () => {
  const model = tinyEncoder();
  mergedWeights(model, trainedAdapter(model));
  expect(openEncoder(join(model.folder)).digest).toBe(model.digest);
});
