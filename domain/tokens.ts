/**
 * From text to the tokens that an index holds and a query asks for.
 *
 * A token holds letters and digits only, lower-case and without accents; so no token can carry a quote, an operator or
 * any other syntax of a query language.
 */
import { stem } from './porter.ts';

export interface Tokenising {
  readonly stemming: boolean;
  readonly splitIdentifiers: boolean;
}

const WORD = /[\p{L}\p{N}]+/gu;
/** read|File|Sync, HTTP|Server, utf8 */
const HUMP = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
/** Longer runs are data, not words (hashes, base64). */
const LONGEST = 40;

/** The words as they are written, without accents. */
export const rawWords = (text: string): string[] =>
  (
    text
      .normalize('NFKD')
      .replace(/\p{M}+/gu, '')
      .match(WORD) ?? []
  ).filter((word) => word.length <= LONGEST);

export const words = (text: string): string[] => rawWords(text).map((word) => word.toLowerCase());

/** `readFileSync` → read, file, sync; a word without humps has no parts. */
export function identifierParts(word: string): string[] {
  const parts = word.split(HUMP);
  return parts.length < 2 ? [] : parts.map((part) => part.toLowerCase());
}

/** Everything that a text is found by. An identifier keeps its whole form beside its parts. */
export function tokens(text: string, how: Tokenising): string[] {
  const found: string[] = [];
  const add = (word: string) => found.push(how.stemming ? stem(word) : word);
  for (const word of rawWords(text)) {
    add(word.toLowerCase());
    if (how.splitIdentifiers) for (const part of identifierParts(word)) add(part);
  }
  return found;
}

/** Two spellings of a query that differ only in case, accents, punctuation and spaces are the same query. */
export const normalised = (query: string): string => words(query).join(' ');
