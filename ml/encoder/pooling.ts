/** How the states of a text's tokens become its embedding, as sentence-transformers writes it beside a model. */
import { join } from 'node:path';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { readJson } from './json-file.ts';

export interface Pooling {
  readonly pooling: 'mean' | 'cls';
  readonly normalise: boolean;
  /** The longest text that it was made for; null where it does not say. */
  readonly maxLength: number | null;
}

/** What sentence-transformers does with a model that brings no modules.json. */
const BARE = [{ path: '', type: 'Transformer' }];

const Modules = z.array(z.looseObject({ path: z.string().default(''), type: z.string() }));
const Sentence = z.looseObject({ max_seq_length: z.int().positive().nullish() });
const Mode = z.looseObject({
  /** Newer files name the mode, older ones have a switch for each. */
  pooling_mode: z.string().optional(),
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_mean_tokens: z.boolean().default(false),
});

export function readPooling(folder: string): Pooling {
  const path = join(folder, 'modules.json');
  const modules = (readJson(path, Modules) ?? BARE).map((module) => ({
    ...module,
    kind: module.type.split('.').at(-1) ?? '',
  }));
  const unknown = modules.find(({ kind }) => !['Transformer', 'Pooling', 'Normalize'].includes(kind));
  if (unknown) {
    throw new PawlError(
      'ConfigInvalid',
      `${path}: expected Transformer, Pooling and Normalize, found ${unknown.type}`,
      {
        hint: 'A model with further layers would give other embeddings here than it was trained for; name another one.',
      },
    );
  }
  const pooling = modules.find(({ kind }) => kind === 'Pooling');
  return {
    pooling: pooling ? modeOf(join(folder, pooling.path, 'config.json')) : 'mean',
    normalise: modules.some(({ kind }) => kind === 'Normalize'),
    maxLength: readJson(join(folder, 'sentence_bert_config.json'), Sentence)?.max_seq_length ?? null,
  };
}

const modeOf = (path: string): 'mean' | 'cls' => {
  const file = readJson(path, Mode);
  if (!file) {
    throw new PawlError('NotFound', `There is no ${path}, which modules.json names`, {
      hint: 'Import the model again.',
    });
  }
  const switches = Object.entries(file).flatMap(([key, on]) =>
    on === true && key.startsWith('pooling_mode_') ? [key] : [],
  );
  const modes = file.pooling_mode === undefined ? switches : [`pooling_mode_${file.pooling_mode}`];
  const [mode] = modes;
  if (modes.length === 1 && mode?.startsWith('pooling_mode_mean') && !mode.includes('sqrt')) return 'mean';
  if (modes.length === 1 && mode?.startsWith('pooling_mode_cls')) return 'cls';
  throw new PawlError(
    'ConfigInvalid',
    `${path}: expected the pooling of the mean or of the CLS token, found ${modes}`,
    {
      hint: 'Other poolings are not built; name another model.',
    },
  );
};
