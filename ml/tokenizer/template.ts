/** The special tokens that a model wants around its texts, learnt once from its own post-processor. */
import type { Tokenizer } from '@huggingface/tokenizers';

export interface Template {
  /** Special tokens before, between and after the texts; a single text has nothing between. */
  readonly around: readonly (readonly SpecialToken[])[];
  /** Token type of each text. */
  readonly types: readonly number[];
  /** How many tokens it adds. */
  readonly added: number;
}
export interface SpecialToken {
  readonly id: number;
  readonly type: number;
}

/** No token of a text: they stand for the texts while the post-processor works. */
const TEXTS = ['\u0000A', '\u0000B'] as const;

export const templateOf = (tokenizer: Tokenizer, texts: 1 | 2): Template => {
  const { tokens, token_type_ids = [] } = processed(tokenizer, texts);
  const around: SpecialToken[][] = [[]];
  const types: number[] = [];
  tokens.forEach((token, at) => {
    const type = token_type_ids[at] ?? 0;
    if (token === TEXTS[types.length]) {
      types.push(type);
      around.push([]);
      return;
    }
    const id = tokenizer.token_to_id(token);
    if (id === undefined) throw new Error(`the special token ${JSON.stringify(token)} is not in the vocabulary`);
    around.at(-1)?.push({ id, type });
  });
  if (types.length !== texts) throw new Error(`its post-processor does not give ${texts} texts back in their order`);
  return { around, types, added: tokens.length - texts };
};

interface Processed {
  readonly tokens: readonly string[];
  readonly token_type_ids?: readonly number[];
}
const processed = ({ post_processor }: Tokenizer, texts: 1 | 2): Processed => {
  const [a, b] = TEXTS;
  if (!post_processor) return { tokens: TEXTS.slice(0, texts) };
  return post_processor([a], texts === 1 ? null : [b], true);
};
