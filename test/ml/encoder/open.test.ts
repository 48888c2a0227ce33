import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEncoder } from '../../../ml/encoder/open.ts';
import type { WrittenTensors } from '../../../ml/safetensors/write.ts';
import { changeJson, changeTensors, tinyFolder, weightsOf } from '../../support/model-folder.ts';

const VALUE = 'encoder.layer.1.attention.self.value.weight';
const without = ({ [VALUE]: _, ...others }: WrittenTensors): WrittenTensors => others;
const filled = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });

test.each<[string, (tensors: WrittenTensors) => WrittenTensors, RegExp]>([
  ['a missing tensor', without, /value\.weight: expected \[32, 32\] of F32, .*, found no tensor of that name/],
  [
    'a wrong shape',
    (tensors) => ({ ...tensors, [VALUE]: filled(32, 16) }),
    /value\.weight: .*\[32, 32\].*found \[32, 16\]/,
  ],
  [
    'whole numbers where floats belong',
    (tensors) => ({ ...tensors, [VALUE]: { shape: [32, 32], data: new Int32Array(1024) } }),
    /value\.weight: .*found \[32, 32\] of I32/,
  ],
  [
    'a layer too many',
    (tensors) => ({ ...tensors, 'encoder.layer.2.output.dense.bias': filled(32) }),
    /encoder\.layer\.2\.output\.dense\.bias: expected no such tensor/,
  ],
  ['half a pooler', ({ 'pooler.dense.bias': _, ...others }) => others, /pooler\.dense\.bias: .*no tensor of that name/],
])('%s is refused, and the error names the tensor, what was expected and what came', (_, change, message) => {
  const folder = tinyFolder();
  changeTensors(weightsOf(folder), change);
  expect(() => openEncoder(folder)).toThrow(message);
  expect(() => openEncoder(folder)).toThrow(expect.objectContaining({ type: 'ConfigInvalid' }));
});

test('a head of another task beside the encoder is no hindrance', () => {
  const folder = tinyFolder();
  changeTensors(weightsOf(folder), (tensors) => ({
    ...tensors,
    'cls.predictions.bias': filled(9),
    'classifier.bias': filled(2),
  }));
  expect(openEncoder(folder).dimensions).toBe(32);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ['config.json', { model_type: 'roberta' }, /config\.json: model_type: expected "bert", found "roberta"/],
  ['config.json', { hidden_act: 'silu' }, /hidden_act: expected "gelu" or .*"relu", found "silu"/],
  ['config.json', { position_embedding_type: 'relative_key' }, /position_embedding_type: .*"relative_key"/],
  ['config.json', { num_attention_heads: 5 }, /num_attention_heads: expected a divisor of hidden_size/],
  ['config.json', { num_hidden_layers: 3 }, /encoder\.layer\.2\..*no tensor of that name/],
  [
    '1_Pooling/config.json',
    { pooling_mode_mean_tokens: false, pooling_mode_max_tokens: true },
    /found pooling_mode_max_tokens/,
  ],
  ['1_Pooling/config.json', { pooling_mode_cls_token: true }, /found pooling_mode_cls_token,pooling_mode_mean_tokens/],
])('a model that is not built here is refused: %s with %o', (file, change, message) => {
  const folder = tinyFolder();
  changeJson(join(folder, file), change);
  expect(() => openEncoder(folder)).toThrow(message);
});

test('a model with a further layer after the pooling is refused', () => {
  const folder = tinyFolder();
  const types = ['Transformer', 'Pooling', 'Dense'].map((type, n) => ({
    type: `models.${type}`,
    path: n === 1 ? '1_Pooling' : '',
  }));
  writeFileSync(join(folder, 'modules.json'), JSON.stringify(types));
  expect(() => openEncoder(folder)).toThrow(/expected Transformer, Pooling and Normalize, found models\.Dense/);
});

test('a bare transformer is pooled by the mean, and not normalised', () => {
  const folder = tinyFolder({ pooling: 'cls' });
  rmSync(join(folder, 'modules.json'));
  expect(openEncoder(folder)).toMatchObject({ pooling: 'mean', normalise: false });
});

test('texts are never longer than there are positions', () => {
  const folder = tinyFolder({ positions: 48 });
  changeJson(join(folder, 'sentence_bert_config.json'), { max_seq_length: 512 });
  expect(openEncoder(folder).maxLength).toBe(48);
});

test.each(['config.json', 'model.safetensors', '1_Pooling/config.json'])(
  'a folder without %s is said to have none',
  (file) => {
    const folder = tinyFolder();
    rmSync(join(folder, file));
    expect(() => openEncoder(folder)).toThrow(
      expect.objectContaining({ type: 'NotFound', message: expect.stringContaining(file) }),
    );
  },
);
