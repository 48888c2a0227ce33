/**
 * The weights of a BERT, by name and shape. Names here are those of the bare encoder; a file may put `bert.` before them, and
 * may call the numbers of a normalisation gamma and beta, as the first BERTs did.
 */
import { PawlError } from '../../contracts/failures.ts';
import type { Safetensors, StoredTensor } from '../safetensors/format.ts';
import type { BertConfig } from './config.ts';

export interface LinearSize {
  readonly inputs: number;
  readonly outputs: number;
}
export type BertWeights = ReadonlyMap<string, StoredTensor>;

export const POOLER = 'pooler.dense';
const PREFIX = 'bert.';
const FLOATS: readonly string[] = ['F32', 'F16', 'BF16'];
/** Heads of other tasks, and positions as a tensor: neither has a part in an embedding. */
const UNUSED = /^(cls\.|classifier\.|qa_outputs\.|embeddings\.(position_ids|token_type_ids)$)/;

/** Every linear layer between the embeddings and the pooling, in the order in which they are run. */
export function linearLayers({ layers, hidden, intermediate }: BertConfig): ReadonlyMap<string, LinearSize> {
  const square = { inputs: hidden, outputs: hidden };
  const of = (layer: string): [string, LinearSize][] => [
    [`${layer}.attention.self.query`, square],
    [`${layer}.attention.self.key`, square],
    [`${layer}.attention.self.value`, square],
    [`${layer}.attention.output.dense`, square],
    [`${layer}.intermediate.dense`, { inputs: hidden, outputs: intermediate }],
    [`${layer}.output.dense`, { inputs: intermediate, outputs: hidden }],
  ];
  return new Map(Array.from({ length: layers }, (_, n) => of(`encoder.layer.${n}`)).flat());
}

type Shapes = ReadonlyMap<string, readonly number[]>;

function requiredShapes(config: BertConfig): Shapes {
  const { hidden, vocabulary, positions, tokenTypes, layers } = config;
  const norm = (name: string): [string, readonly number[]][] => [
    [`${name}.weight`, [hidden]],
    [`${name}.bias`, [hidden]],
  ];
  return new Map([
    ['embeddings.word_embeddings.weight', [vocabulary, hidden]],
    ['embeddings.position_embeddings.weight', [positions, hidden]],
    ['embeddings.token_type_embeddings.weight', [tokenTypes, hidden]],
    ...norm('embeddings.LayerNorm'),
    ...[...linearLayers(config)].flatMap(([name, size]) => linearShapes(name, size)),
    ...Array.from({ length: layers }, (_, n) => [
      ...norm(`encoder.layer.${n}.attention.output.LayerNorm`),
      ...norm(`encoder.layer.${n}.output.LayerNorm`),
    ]).flat(),
  ]);
}

const linearShapes = (name: string, { inputs, outputs }: LinearSize): [string, readonly number[]][] => [
  [`${name}.weight`, [outputs, inputs]],
  [`${name}.bias`, [outputs]],
];

/** The weights that the configuration asks for, or an error that says which is not as it should be. */
export function checkWeights({ path, tensors }: Safetensors, config: BertConfig): BertWeights {
  const prefix = tensors.has(`${PREFIX}embeddings.word_embeddings.weight`) ? PREFIX : '';
  const stored = new Map(
    [...tensors.values()].flatMap((tensor): [string, StoredTensor][] =>
      tensor.name.startsWith(prefix) ? [[plainName(tensor.name.slice(prefix.length)), tensor]] : [],
    ),
  );
  const required = requiredShapes(config);
  const pooler = new Map(linearShapes(POOLER, { inputs: config.hidden, outputs: config.hidden }));
  const wanted = new Map([...required, ...(stored.has(`${POOLER}.weight`) ? pooler : [])]);
  for (const [name, shape] of wanted) checkTensor(path, prefix + name, shape, stored.get(name));
  const surplus = [...stored].find(([name]) => !wanted.has(name) && !UNUSED.test(name));
  if (surplus) {
    throw unfit(path, surplus[1].name, 'no such tensor, by its config.json', shown(surplus[1]));
  }
  return new Map([...wanted.keys()].map((name) => [name, stored.get(name) as StoredTensor]));
}

const plainName = (name: string): string =>
  name.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias');

const checkTensor = (path: string, name: string, shape: readonly number[], tensor: StoredTensor | undefined): void => {
  const expected = `[${shape.join(', ')}] of ${FLOATS.join(', ')}`;
  if (!tensor) throw unfit(path, name, expected, 'no tensor of that name');
  const same = tensor.shape.length === shape.length && tensor.shape.every((size, axis) => size === shape[axis]);
  if (!same || !FLOATS.includes(tensor.dtype)) throw unfit(path, tensor.name, expected, shown(tensor));
};

const shown = ({ shape, dtype }: StoredTensor): string => `[${shape.join(', ')}] of ${dtype}`;

const unfit = (path: string, name: string, expected: string, found: string): PawlError =>
  new PawlError('ConfigInvalid', `${path}: ${name}: expected ${expected}, found ${found}`, {
    hint: 'Its config.json and its weights do not belong together, or are not those of a BERT: import the model again.',
  });
