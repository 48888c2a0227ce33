/**
 * Which files make a model. Only these are ever taken over: no code, no pickle (reading one runs what is in it), no graph
 * that names files elsewhere, nothing below a folder that the layout of a sentence encoder does not have.
 */
import { createHash } from 'node:crypto';
import { PawlError } from '../../contracts/failures.ts';
import type { ModelFiles } from '../../contracts/model.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';

export const WEIGHTS = 'model.safetensors';
const NEEDED = ['config.json', 'tokenizer.json', WEIGHTS] as const;
const SETTINGS =
  /^(?:config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|modules|sentence_bert_config|config_sentence_transformers|quantization)\.json$/;
const MODULE = /^\d{1,2}_[A-Za-z]{1,40}\/config\.json$/;
const TEXTS = /^(?:vocab\.txt|README\.md|LICEN[CS]E(?:\.(?:md|txt))?)$/;
const PICKLE = /\.(?:bin|pt|pth|pkl|pickle|ckpt|joblib)$/i;

const MAX_WEIGHTS = 16 * 2 ** 30;
const MAX_OTHER = 128 * 2 ** 20;

export const isModelFile = (path: string): boolean =>
  path === WEIGHTS || SETTINGS.test(path) || MODULE.test(path) || TEXTS.test(path);

/** A longer file is not what its name says. */
export const longest = (path: string): number => (path === WEIGHTS ? MAX_WEIGHTS : MAX_OTHER);

/** A list of files from elsewhere says where they would like to be written. */
export const refuseWandering = (where: string, path: string): void => {
  const wanders = path.startsWith('/') || /[\\:\0]/.test(path) || path.split('/').includes('..');
  if (!wanders) return;
  throw new PawlError(
    'ConfigInvalid',
    `${where} holds a file that wants to lie outside of it: ${JSON.stringify(path)}`,
    {
      hint: 'Nothing was taken over. Whoever made it means harm, or used a broken program.',
    },
  );
};

/** `paths`: all that the source holds, also what is not taken over. */
export const refuseIncomplete = (where: string, paths: Iterable<string>): void => {
  const there = new Set(paths);
  const missing = NEEDED.filter((path) => !there.has(path));
  if (missing.length === 0) return;
  const pickles = [...there].filter((path) => PICKLE.test(path));
  if (missing.includes(WEIGHTS) && pickles.length > 0) {
    throw new PawlError('ConfigInvalid', `${where} has its weights as pickle only (${pickles.join(', ')})`, {
      hint: 'Reading a pickle runs the code in it, so Pawl never does. Save the model again as model.safetensors, on a machine that may run it.',
    });
  }
  throw new PawlError('ConfigInvalid', `${where} is no model folder: it has no ${missing.join(', no ')}`, {
    hint: `Pawl reads BERT-like encoders as Hugging Face writes them: ${NEEDED.join(', ')}.`,
  });
};

export const modelId = (files: ModelFiles): string => createHash('sha256').update(canonicalJson(files)).digest('hex');
