import { expect, test } from 'vitest';
import type { LoraConfig } from '../../../contracts/lora.ts';
import { openEncoder } from '../../../ml/encoder/open.ts';
import { loraShape } from '../../../ml/lora/shape.ts';
import { tinyFolder } from '../../support/model-folder.ts';

const BASE: LoraConfig = { rank: 8, alpha: 16, dropout: 0, targets: 'all-linear' };
const PARTS = [
  ...['attention.self.query', 'attention.self.key', 'attention.self.value'],
  ...['attention.output.dense', 'intermediate.dense', 'output.dense'],
];
const inLayers = (layers: readonly number[], parts: readonly string[]) =>
  layers.flatMap((n) => parts.map((part) => `encoder.layer.${n}.${part}`));
const shapeOf = (config: Partial<LoraConfig>) => loraShape(openEncoder(tinyFolder()), { ...BASE, ...config });
const DENSE = PARTS.filter((part) => part.endsWith('dense'));

test.each<[string, Partial<LoraConfig>, readonly string[]]>([
  ['every linear layer but the pooler', { targets: 'all-linear' }, inLayers([0, 1], PARTS)],
  [
    'a regular expression over whole names',
    { targets: '.*layer\\.1.*(query|value)' },
    inLayers([1], ['attention.self.query', 'attention.self.value']),
  ],
  ['endings after a dot', { targets: ['dense'] }, inLayers([0, 1], DENSE)],
  ['a whole name in a list', { targets: ['encoder.layer.0.output.dense'] }, ['encoder.layer.0.output.dense']],
  ['longer endings', { targets: ['self.key'] }, inLayers([0, 1], ['attention.self.key'])],
  ['less what a list excludes', { exclude: ['query', 'key', 'value'] }, inLayers([0, 1], DENSE)],
  ['less what an expression excludes', { exclude: 'encoder\\.layer\\.0\\..*' }, inLayers([1], PARTS)],
])('targets are %s', (_, config, expected) => {
  expect([...shapeOf(config).layers.keys()]).toEqual(expected);
});

test.each<[string, Partial<LoraConfig>, RegExp]>([
  ['an ending that no layer has', { targets: ['q_proj'] }, /no linear layer matches "q_proj"/],
  ['a part of a name as an expression', { targets: 'query' }, /no linear layer matches "query"/],
  ['a part of a word as an ending', { targets: ['uery'] }, /no linear layer/],
  ['no expression', { targets: '(' }, /"\(" is no regular expression/],
  ['everything excluded', { exclude: '.*' }, /no linear layer/],
  ['a rank of 0', { rank: 0 }, /rank: expected a whole number above 0, found 0/],
  ['a rank of 0 for some', { rankPattern: { query: 0 } }, /query: expected a whole number above 0/],
  ['dropping everything', { dropout: 1 }, /dropout: .*found 1/],
])('a configuration that makes no adapter is refused: %s', (_, config, message) => {
  expect(() => shapeOf(config)).toThrow(message);
});

test('the first pattern that matches a name or its ending gives rank and alpha, and the scale is that of both', () => {
  const { layers } = shapeOf({
    rankPattern: { 'layer\\.0\\.output\\.dense': 2, dense: 4 },
    alphaPattern: { query: 2 },
  });
  const at = (module: string) => layers.get(`encoder.layer.${module}`);
  expect(at('0.output.dense')).toMatchObject({ rank: 2, scale: 8 });
  expect(at('1.output.dense')).toMatchObject({ rank: 4, scale: 4 });
  expect(at('0.attention.self.query')).toMatchObject({ rank: 8, scale: 0.25 });
  expect(at('0.attention.self.key')).toMatchObject({ rank: 8, scale: 2 });
});

test('rank-stabilised, alpha is divided by the root of the rank', () => {
  const { layers } = shapeOf({ rankStabilised: true, rank: 4 });
  expect(layers.get('encoder.layer.0.output.dense')?.scale).toBe(8);
});
