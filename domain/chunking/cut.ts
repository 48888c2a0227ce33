/**
 * Cuts a text into pieces of a size, at the best places that it has.
 *
 * 1. A piece begins and ends with a letter or sign, never with white space, and has at most `size` units.
 * 2. What a level keeps together (a paragraph, a sentence, a word) is cut only where it alone is longer than `size`.
 * 3. Each piece looks no further than its own size, twice: the time grows with the text and nothing else.
 */
import { sentenceEnds } from './sentences.ts';
import { firstInk, isBlank, type Span, trimmed, whole } from './span.ts';

/** The last place after `from`, up to `to`, where something may end; -1 where there is none. */
export type Level = (text: string, from: number, to: number) => number;

const EMPTY_LINE = /\n[^\S\n]*\n/g;
/** White space beyond `to` that may make an empty line of the one there. */
const AHEAD = 16;

export const paragraphs: Level = (text, from, to) => {
  let last = -1;
  for (const match of text.slice(from, to + AHEAD).matchAll(EMPTY_LINE))
    if (from + match.index <= to) last = from + match.index;
  return last;
};

export const sentences: Level = (text, from, to) => sentenceEnds(text, from, to).at(-1) ?? -1;

export const lines: Level = (text, from, to) => {
  const at = text.slice(from, to + 1).lastIndexOf('\n');
  return at > 0 ? from + at : -1;
};

export const words: Level = (text, from, to) => {
  for (let at = to; at > from; at--) if (isBlank(text, at) || isBlank(text, at - 1)) return at;
  return -1;
};

/** Less than this share of `size` is too little for a piece of its own, if what follows has to be cut in any case. */
const LITTLE = 1 / 4;

export function cut(text: string, part: Span, size: number, levels: readonly Level[]): Span[] {
  const pieces: Span[] = [];
  const { end } = trimmed(text, part.start, part.end);
  for (let at = firstInk(text, part.start, end); at < end; ) {
    const stop = at + size >= end ? end : placeOf(text, at, end, size, levels);
    pieces.push(trimmed(text, at, stop));
    at = firstInk(text, stop, end);
  }
  return pieces;
}

function placeOf(text: string, at: number, end: number, size: number, levels: readonly Level[]): number {
  const limit = at + size;
  for (const level of levels) {
    const place = level(text, at, limit);
    if (place < 0) continue;
    if (place - at >= size * LITTLE) return place;
    const next = firstInk(text, place, end);
    if (next + size >= end || level(text, limit, next + size) >= 0) return place;
  }
  return whole(text, limit);
}
