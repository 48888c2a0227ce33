/**
 * A BERT of a few kilobytes with random weights, in a folder laid out as a real sentence encoder's: fast enough for every test,
 * and the same for the same options.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../../domain/random.ts';
import { type WrittenTensors, writeSafetensors } from '../../ml/safetensors/write.ts';

export interface TinyModel {
  readonly seed?: number;
  readonly layers?: number;
  readonly hidden?: number;
  readonly heads?: number;
  readonly intermediate?: number;
  readonly positions?: number;
  readonly pooling?: 'mean' | 'cls';
  /** Whether the embeddings are scaled to length 1. */
  readonly normalise?: boolean;
}

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const CHARACTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const PUNCTUATION = [...'.,:;!?-_()[]{}\'"/#@=+*<>'];
const ENDINGS = ['##s', '##ed', '##er', '##ing', '##ly', '##tion', '##able', '##ness'];
/** Enough of them that ordinary sentences of a test are not letters only. */
const WORDS = (
  'the a an of to in is are and or for with on by from not no it this that how what when where why who which ' +
  'read write open close file folder path line text word name value key list map set error fail start stop run test model ' +
  'train query search find answer document page index score rank token layer weight train encode decode load save ' +
  'fast slow small large first last new old true false red green blue cat dog bird fish tree house river'
).split(' ');

/** Line n is token n. */
export const TINY_VOCABULARY: readonly string[] = [
  ...new Set([...SPECIAL, ...PUNCTUATION, ...CHARACTERS, ...CHARACTERS.map((c) => `##${c}`), ...ENDINGS, ...WORDS]),
];

/** Writes the model into `folder`, and gives the folder back. */
export function tinyModel(folder: string, options: TinyModel = {}): string {
  const { layers = 2, hidden = 32, heads = 4, intermediate = 64, positions = 64, pooling = 'mean' } = options;
  const json = (path: string, value: unknown): void =>
    writeFileSync(join(folder, path), `${JSON.stringify(value, null, 2)}\n`);
  mkdirSync(join(folder, '1_Pooling'), { recursive: true });

  json('config.json', {
    ...{ architectures: ['BertModel'], model_type: 'bert', hidden_act: 'gelu', position_embedding_type: 'absolute' },
    ...{ hidden_size: hidden, num_attention_heads: heads, num_hidden_layers: layers, intermediate_size: intermediate },
    ...{ max_position_embeddings: positions, vocab_size: TINY_VOCABULARY.length, type_vocab_size: 2, pad_token_id: 0 },
    ...{ layer_norm_eps: 1e-12, hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1, initializer_range: 0.02 },
  });
  const normalising = (options.normalise ?? true) ? ['Normalize'] : [];
  json(
    'modules.json',
    ['Transformer', 'Pooling', ...normalising].map((type, idx) => ({
      ...{ idx, name: String(idx), path: idx === 0 ? '' : `${idx}_${type}` },
      type: `sentence_transformers.models.${type}`,
    })),
  );
  json('1_Pooling/config.json', {
    ...{ word_embedding_dimension: hidden },
    ...{ pooling_mode_cls_token: pooling === 'cls', pooling_mode_mean_tokens: pooling === 'mean' },
    ...{ pooling_mode_max_tokens: false, pooling_mode_mean_sqrt_len_tokens: false },
  });
  json('sentence_bert_config.json', { max_seq_length: positions, do_lower_case: false });
  json('tokenizer_config.json', tokenizerConfig(positions));
  json('tokenizer.json', tokenizer());
  writeFileSync(join(folder, 'vocab.txt'), `${TINY_VOCABULARY.join('\n')}\n`);
  writeSafetensors(join(folder, 'model.safetensors'), {
    ...weights(shapes(layers, hidden, intermediate, positions), options.seed ?? 1),
    // Older checkpoints carry the positions as a tensor of whole numbers; no reader may stumble over it.
    'embeddings.position_ids': {
      shape: [1, positions],
      data: BigInt64Array.from({ length: positions }, (_, n) => BigInt(n)),
    },
  });
  return folder;
}

type Shapes = Readonly<Record<string, readonly number[]>>;

function shapes(layers: number, hidden: number, intermediate: number, positions: number): Shapes {
  const linear = (name: string, inputs: number, outputs: number): Shapes => ({
    [`${name}.weight`]: [outputs, inputs],
    [`${name}.bias`]: [outputs],
  });
  const norm = (name: string): Shapes => ({ [`${name}.weight`]: [hidden], [`${name}.bias`]: [hidden] });
  const layer = (at: string): Shapes => ({
    ...linear(`${at}.attention.self.query`, hidden, hidden),
    ...linear(`${at}.attention.self.key`, hidden, hidden),
    ...linear(`${at}.attention.self.value`, hidden, hidden),
    ...linear(`${at}.attention.output.dense`, hidden, hidden),
    ...norm(`${at}.attention.output.LayerNorm`),
    ...linear(`${at}.intermediate.dense`, hidden, intermediate),
    ...linear(`${at}.output.dense`, intermediate, hidden),
    ...norm(`${at}.output.LayerNorm`),
  });
  return {
    'embeddings.word_embeddings.weight': [TINY_VOCABULARY.length, hidden],
    'embeddings.position_embeddings.weight': [positions, hidden],
    'embeddings.token_type_embeddings.weight': [2, hidden],
    ...norm('embeddings.LayerNorm'),
    ...Object.assign({}, ...Array.from({ length: layers }, (_, n) => layer(`encoder.layer.${n}`))),
    ...linear('pooler.dense', hidden, hidden),
  };
}

/** Wide enough that different texts get clearly different embeddings: a fresh model's 0.02 makes them all alike. */
function weights(of: Shapes, seed: number): WrittenTensors {
  const random = seeded(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Object.fromEntries(
    Object.entries(of).map(([name, shape]) => {
      const around = name.endsWith('LayerNorm.weight') ? 1 : 0;
      const width = name.includes('LayerNorm') || name.endsWith('bias') ? 0.1 : 0.3;
      const length = shape.reduce((product, side) => product * side, 1);
      return [name, { shape, data: Float32Array.from({ length }, () => around + width * normal()) }];
    }),
  );
}

const id = (token: string): number => TINY_VOCABULARY.indexOf(token);

const tokenizerConfig = (positions: number) => ({
  ...{ tokenizer_class: 'BertTokenizer', do_lower_case: true, tokenize_chinese_chars: true, strip_accents: null },
  ...{ unk_token: '[UNK]', sep_token: '[SEP]', pad_token: '[PAD]', cls_token: '[CLS]', mask_token: '[MASK]' },
  model_max_length: positions,
});

function tokenizer() {
  const special = (token: string, type_id: number) => ({ SpecialToken: { id: token, type_id } });
  const sequence = (name: 'A' | 'B', type_id: number) => ({ Sequence: { id: name, type_id } });
  const single = [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)];
  const template = (token: string) => [token, { id: token, ids: [id(token)], tokens: [token] }] as const;
  return {
    version: '1.0',
    // As they are left behind in real files; whoever encodes says how long a text may be.
    truncation: { direction: 'Right', max_length: 16, strategy: 'LongestFirst', stride: 0 },
    padding: {
      ...{ strategy: { Fixed: 16 }, direction: 'Right', pad_to_multiple_of: null },
      ...{ pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' },
    },
    added_tokens: SPECIAL.map((content) => ({
      ...{ id: id(content), content, special: true },
      ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
    })),
    normalizer: {
      ...{ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, sequence('B', 1), special('[SEP]', 1)],
      special_tokens: Object.fromEntries(['[CLS]', '[SEP]'].map(template)),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      ...{ type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
      vocab: Object.fromEntries(TINY_VOCABULARY.map((token, n) => [token, n])),
    },
  };
}
