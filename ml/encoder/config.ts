/** What a model of the BERT family says of itself in config.json: bert, MiniLM, BGE, GTE, E5 and others of that build. */
import { join } from 'node:path';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { oneOf, readJson } from './json-file.ts';

export const ACTIVATIONS = ['gelu', 'gelu_new', 'gelu_pytorch_tanh', 'relu'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export interface BertConfig {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly positions: number;
  readonly tokenTypes: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Deviation of weights that are made anew, such as a cross-encoder's head. */
  readonly initialDeviation: number;
}

const size = z.int().positive();
const Config = z
  .looseObject({
    model_type: oneOf(['bert']),
    hidden_act: oneOf(ACTIVATIONS),
    position_embedding_type: oneOf(['absolute']).default('absolute'),
    is_decoder: z.literal(false, 'expected false: a decoder is no encoder').default(false),
    vocab_size: size,
    hidden_size: size,
    num_hidden_layers: size,
    num_attention_heads: size,
    intermediate_size: size,
    max_position_embeddings: size,
    type_vocab_size: size,
    layer_norm_eps: z.number().positive(),
    initializer_range: z.number().positive().default(0.02),
  })
  .refine(({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0, {
    path: ['num_attention_heads'],
    error: 'expected a divisor of hidden_size',
  })
  .transform(
    (config): BertConfig => ({
      vocabulary: config.vocab_size,
      hidden: config.hidden_size,
      layers: config.num_hidden_layers,
      heads: config.num_attention_heads,
      intermediate: config.intermediate_size,
      positions: config.max_position_embeddings,
      tokenTypes: config.type_vocab_size,
      activation: config.hidden_act,
      epsilon: config.layer_norm_eps,
      initialDeviation: config.initializer_range,
    }),
  );

export function readConfig(folder: string): BertConfig {
  const path = join(folder, 'config.json');
  const config = readJson(path, Config);
  if (config) return config;
  throw new PawlError('NotFound', `There is no ${path}: ${folder} is no model folder`, {
    hint: 'Name a folder with config.json, model.safetensors and tokenizer.json, or import one with `pawl model import`.',
  });
}
