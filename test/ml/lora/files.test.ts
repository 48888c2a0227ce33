import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adapterShape } from '../../../ml/lora/adapter.ts';
import { loadAdapter, saveAdapter } from '../../../ml/lora/files.ts';
import { openSafetensors } from '../../../ml/safetensors/read.ts';
import { changeJson, changeTensors } from '../../support/model-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { furthest, tinyEncoder, trainedAdapter, trainedOutput } from './running.ts';

const WEIGHTS = 'adapter_model.safetensors';
const CONFIG = 'adapter_config.json';
const configIn = (folder: string) => JSON.parse(readFileSync(join(folder, CONFIG), 'utf8'));

test.each([
  ['encoder', {}],
  ['encoder', { decomposed: true, rankStabilised: true, rankPattern: { query: 2 }, alphaPattern: { dense: 3 } }],
  ['encoder', { targets: ['dense'], exclude: ['intermediate.dense'], dropout: 0.1 }],
  ['reranker', {}],
] as const)('an adapter of the %s comes back from its folder as it was: %o', async (component, config) => {
  const model = tinyEncoder();
  const adapter = trainedAdapter(model, config, { component });
  const folder = temporaryFolder();
  saveAdapter(folder, adapter, 'a-name-for-peft');
  const loaded = loadAdapter(folder);
  expect(new Map([...loaded.tensors].sort())).toEqual(new Map([...adapter.tensors].sort()));
  expect(loaded).toMatchObject({ base: adapter.base, component });
  expect([...adapterShape(model, loaded).layers]).toEqual([...adapterShape(model, adapter).layers]);
  expect(adapterShape(model, loaded).dropout).toBe(adapter.config.dropout);
});

test('its files are those of PEFT, word for word', () => {
  const folder = temporaryFolder();
  saveAdapter(folder, trainedAdapter(tinyEncoder(), { targets: ['query'], decomposed: true }), 'all-MiniLM-L6-v2');
  expect(configIn(folder)).toMatchObject({
    ...{ peft_type: 'LORA', task_type: null, r: 4, lora_alpha: 8, lora_dropout: 0, bias: 'none' },
    ...{ target_modules: ['query'], use_dora: true, use_rslora: false, base_model_name_or_path: 'all-MiniLM-L6-v2' },
  });
  const { tensors, metadata } = openSafetensors(join(folder, WEIGHTS));
  expect(metadata.format).toBe('pt');
  expect([...tensors.keys()].filter((name) => name.includes('layer.0')).sort()).toEqual([
    'base_model.model.encoder.layer.0.attention.self.query.lora_A.weight',
    'base_model.model.encoder.layer.0.attention.self.query.lora_B.weight',
    'base_model.model.encoder.layer.0.attention.self.query.lora_magnitude_vector',
  ]);
});

test('PEFT is told to keep off the pooler where its own meaning of a target would hold it', () => {
  const model = tinyEncoder();
  const saved = (config: object, component: 'encoder' | 'reranker' = 'encoder') => {
    const folder = temporaryFolder();
    saveAdapter(folder, trainedAdapter(model, config, { component }));
    return configIn(folder);
  };
  expect(saved({ targets: ['dense'] }).exclude_modules).toEqual(['pooler.dense']);
  expect(saved({ targets: '.*dense', exclude: '.*layer\\.0.*' }).exclude_modules).toBe(
    '(?:.*layer\\.0.*)|(?:.*\\.)?pooler\\.dense',
  );
  expect(saved({ targets: ['query'] }).exclude_modules).toBeNull();
  expect(saved({}).target_modules).not.toBe('all-linear');
  expect(saved({}, 'reranker')).toMatchObject({ task_type: 'SEQ_CLS', modules_to_save: ['pooler', 'classifier'] });
});

test('what PEFT laid over the pooler has no part in an embedding, and is left out', async () => {
  const model = tinyEncoder();
  const adapter = trainedAdapter(model, { targets: ['query', 'key', 'value', 'dense'] });
  const folder = temporaryFolder();
  saveAdapter(folder, adapter);
  changeJson(join(folder, CONFIG), { exclude_modules: null });
  const over = (part: string, ...shape: number[]) => ({
    [`base_model.model.pooler.dense.lora_${part}.weight`]: { shape, data: new Float32Array(128).fill(1) },
  });
  changeTensors(join(folder, WEIGHTS), (tensors) => ({ ...tensors, ...over('A', 4, 32), ...over('B', 32, 4) }));
  const loaded = loadAdapter(folder);
  expect(furthest(await trainedOutput(model, loaded), await trainedOutput(model, adapter))).toBe(0);
});

test.each([
  [{ peft_type: 'LOHA' }, /peft_type: expected "LORA", found "LOHA"/],
  [{ bias: 'all' }, /bias: expected "none", found "all"/],
  [{ lora_bias: true }, /lora_bias: true is not supported/],
  [{ layers_to_transform: [1] }, /layers_to_transform: \[1\] is not supported/],
  [{ init_lora_weights: 'pissa' }, /init_lora_weights/],
  [{ r: 0 }, /r: /],
])('what would make another adapter of the same numbers is refused by name: %o', (change, message) => {
  const folder = temporaryFolder();
  saveAdapter(folder, trainedAdapter(tinyEncoder()));
  changeJson(join(folder, CONFIG), change);
  expect(() => loadAdapter(folder)).toThrow(message);
});

test.each([CONFIG, WEIGHTS])('a folder without %s is said to have none', (file) => {
  const folder = temporaryFolder();
  saveAdapter(folder, trainedAdapter(tinyEncoder()));
  rmSync(join(folder, file));
  expect(() => loadAdapter(folder)).toThrow(
    expect.objectContaining({ type: 'NotFound', message: expect.stringContaining(file) }),
  );
});

test('a configuration that is no JSON is said to be none', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, CONFIG), '{"r": 8');
  expect(() => loadAdapter(folder)).toThrow(/adapter_config\.json is no JSON/);
});
