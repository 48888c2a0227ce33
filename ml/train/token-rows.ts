/** Token ids by row, kept so that a text is tokenised once however often its example comes round. */
import type { TextTokenizer, Tokens } from '../tokenizer/open.ts';

export interface TokenRow {
  readonly ids: Int32Array;
  readonly types: Int32Array | null;
}

/** Rows after one another, as a graph takes them. */
export function packed(rows: readonly TokenRow[]): Tokens {
  const ids = joined(rows.map((row) => row.ids));
  const lengths = Int32Array.from(rows, (row) => row.ids.length);
  return rows.some(({ types }) => types !== null)
    ? { ids, lengths, types: joined(rows.map(({ ids: { length }, types }) => types ?? new Int32Array(length))) }
    : { ids, lengths };
}

export const lengthsOf = (rows: readonly TokenRow[]): number[] => rows.map(({ ids }) => ids.length);

function joined(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export type Text = string | readonly [string, string];

export class TokenRows {
  readonly #tokenizer: TextTokenizer;
  readonly #known = new Map<string, TokenRow>();

  constructor(tokenizer: TextTokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Of texts, or of pairs of texts; those that are new are tokenised in one call. */
  rows(texts: readonly Text[], maxLength: number): TokenRow[] {
    const keyOf = (text: Text): string => JSON.stringify([maxLength, text]);
    const missing = [...new Map(texts.map((text) => [keyOf(text), text]))].filter(([key]) => !this.#known.has(key));
    if (missing.length > 0) {
      const rows = unpacked(
        this.#encode(
          missing.map(([, text]) => text),
          maxLength,
        ),
      );
      for (const [n, [key]] of missing.entries()) this.#known.set(key, rows[n] as TokenRow);
    }
    return texts.map((text) => this.#known.get(keyOf(text)) as TokenRow);
  }

  #encode(texts: readonly Text[], maxLength: number): Tokens {
    const singles = texts.filter((text) => typeof text === 'string');
    return singles.length > 0
      ? this.#tokenizer.encode(singles, maxLength)
      : this.#tokenizer.encodePairs(texts as readonly (readonly [string, string])[], maxLength);
  }
}

const unpacked = ({ ids, lengths, types }: Tokens): TokenRow[] => {
  let at = 0;
  return [...lengths].map((length) => {
    const from = at;
    at += length;
    return { ids: ids.slice(from, at), types: types?.slice(from, at) ?? null };
  });
};
