/**
 * Texts to token ids, equal to those of Hugging Face's tokenizers.
 *
 * Nothing is padded: the tokens of all texts stand after one another, each text's count beside them. A text that is too
 * long loses tokens at its end, never a special token.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { pack } from './packing.ts';
import { preparationFor } from './preparation.ts';
import { type Template, templateOf } from './template.ts';
import { keptOfPair } from './truncation.ts';

export interface Tokens {
  /** All texts after one another. */
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  /** Token types, of pairs. */
  readonly types?: Int32Array;
}

export interface TextTokenizer {
  /** `maxLength` counts the special tokens too. */
  encode(texts: readonly string[], maxLength: number): Tokens;
  encodePairs(pairs: readonly (readonly [string, string])[], maxLength: number): Tokens;
  readonly padId: number;
}

export const openTokenizer = (folder: string): TextTokenizer => {
  const path = join(folder, 'tokenizer.json');
  const description = json(path);
  const config = Config.parse(json(join(folder, 'tokenizer_config.json'), {}));
  try {
    return textTokenizer(new Tokenizer(description, config), config, preparationFor(description));
  } catch (cause) {
    throw unfit(path, cause);
  }
};

const Special = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]);
const Config = z.looseObject({ pad_token: Special.nullish() });
type Config = z.infer<typeof Config>;

const textTokenizer = (
  tokenizer: Tokenizer,
  { pad_token = '[PAD]' }: Config,
  prepare: (text: string) => string,
): TextTokenizer => {
  const single = templateOf(tokenizer, 1);
  const pair = templateOf(tokenizer, 2);
  const idsOf = (text: string): number[] => tokenizer.encode(prepare(text), { add_special_tokens: false }).ids;

  return {
    padId: (pad_token === null ? undefined : tokenizer.token_to_id(pad_token)) ?? 0,

    encode: (texts, maxLength) => {
      const room = roomIn(maxLength, single);
      const { ids, lengths } = pack(
        texts.map((text) => [idsOf(text).slice(0, room)]),
        single,
      );
      return { ids, lengths };
    },

    encodePairs: (pairs, maxLength) => {
      const room = roomIn(maxLength, pair);
      const rows = pairs.map(([first, second]) => {
        const texts = [idsOf(first), idsOf(second)] as const;
        const kept = keptOfPair(texts[0].length, texts[1].length, room);
        return [texts[0].slice(0, kept[0]), texts[1].slice(0, kept[1])];
      });
      return pack(rows, pair);
    },
  };
};

const roomIn = (maxLength: number, { added }: Template): number => {
  if (Number.isInteger(maxLength) && maxLength > added) return maxLength - added;
  throw new PawlError('Usage', `${maxLength} tokens are no length for a text: ${added} of them are special ones`, {
    hint: `Ask for a whole number above ${added}.`,
  });
};

const json = (path: string, otherwise?: object): object => {
  try {
    return z.looseObject({}).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (missing && otherwise) return otherwise;
    throw unfit(path, cause);
  }
};

const unfit = (path: string, cause: unknown): PawlError =>
  new PawlError('ConfigInvalid', `${path} describes no tokenizer: ${cause instanceof Error ? cause.message : cause}`, {
    hint: 'A model folder holds the tokenizer.json that Hugging Face\'s "fast" tokenizers write.',
    cause,
  });
