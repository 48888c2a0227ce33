/**
 * Where @huggingface/tokenizers normalises a text for BERT otherwise than Hugging Face's own tokenizers, the text is
 * changed before it is seen:
 * 1. A Chinese character is a word; the package looks at UTF-16 units and misses those beyond U+FFFF.
 * 2. A capital sigma becomes σ, at the end of a word too.
 *
 * One difference stays: marks and punctuation that Unicode got after version 8 (2015), which only the package knows.
 */
import { z } from 'zod';

const ForBert = z.object({
  normalizer: z.object({
    type: z.literal('BertNormalizer'),
    handle_chinese_chars: z.boolean(),
    lowercase: z.boolean(),
  }),
});

/** The ranges, and the slip in the fourth one, are those of the original. */
const BEYOND_UTF16_UNITS =
  /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** What is done to a text before the tokenizer that `description` (a tokenizer.json) describes gets it. */
export const preparationFor = (description: unknown): ((text: string) => string) => {
  const { success, data } = ForBert.safeParse(description);
  if (!success) return (text) => text;
  const { handle_chinese_chars, lowercase } = data.normalizer;
  return (text) => {
    const words = handle_chinese_chars ? text.replace(BEYOND_UTF16_UNITS, ' $& ') : text;
    return lowercase ? words.replaceAll('Σ', 'σ') : words;
  };
};
