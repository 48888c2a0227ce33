/** Whether a file holds what somebody asked, in whatever format: JSON, YAML, CSV. Texts are compared by their words. */
import { normalised } from '../../domain/tokens.ts';

export interface Texts {
  /** Of several words: found wherever these words stand in this order. */
  readonly phrases: readonly string[];
  /** Of one word: found only where it stands alone, for it is part of many a text that is nobody's. */
  readonly words: ReadonlySet<string>;
}

export const textsOf = (queries: readonly string[]): Texts => {
  const all = [...new Set(queries.map(normalised))].filter((text) => text !== '');
  return {
    phrases: all.filter((text) => text.includes(' ')),
    words: new Set(all.filter((text) => !text.includes(' '))),
  };
};

/** Where a text of one word is what somebody asked, and not a word of a vocabulary. */
const ASKED = new Set(['text', 'query', 'question', 'q']);

export const holds = (bytes: Buffer, { phrases, words }: Texts): boolean => {
  const text = bytes.toString('utf8');
  const value = jsonOf(text);
  const all = ` ${normalised(text)} `;
  if (phrases.some((phrase) => all.includes(` ${phrase} `))) return true;
  if (words.size === 0) return false;
  return value === undefined ? text.split(/[,\r\n]+/).some((cell) => words.has(normalised(cell))) : asks(value, words);
};

const asks = (value: unknown, words: ReadonlySet<string>): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).some(([key, part]) =>
    typeof part === 'string' ? ASKED.has(key) && words.has(normalised(part)) : asks(part, words),
  );

/** undefined where the text is something else. */
export const jsonOf = (text: string): unknown => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Corpora that a text of evidence names: they hold documents, and nothing that anybody asked. */
export const corporaIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    const digest = key === 'corpus' ? (part as { sha256?: unknown } | null)?.sha256 : undefined;
    return [...(typeof digest === 'string' ? [digest] : []), ...corporaIn(part)];
  });
};
