/** Parts of a text, by their ends in UTF-16 units. */
import type { Chunk } from '../../contracts/retrieval.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
}

const BLANK = /\s/;

/** Whether white space stands there, as `trim` understands it. */
export function isBlank(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit < 128) return unit === 32 || (unit >= 9 && unit <= 13);
  return unit >= 0xa0 && BLANK.test(text.charAt(at));
}

export function firstInk(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(text, at)) at++;
  return at;
}

/** The part without the white space at its ends; empty, at `end`, where there is nothing else. */
export function trimmed(text: string, start: number, end: number): Span {
  const from = firstInk(text, start, end);
  let to = end;
  while (to > from && isBlank(text, to - 1)) to--;
  return { start: from, end: to };
}

/** `at`, or one before it where it would part the two halves of a character. */
export function whole(text: string, at: number): number {
  const parts = isSurrogate(text, at - 1, 0xd800) && isSurrogate(text, at, 0xdc00);
  return parts ? at - 1 : at;
}

const isSurrogate = (text: string, at: number, half: number): boolean => (text.charCodeAt(at) & 0xfc00) === half;

/** The lines of a part, without their ends. */
export function* linesOf(text: string, { start, end }: Span): Generator<Span> {
  for (let at = start; at < end; ) {
    const newline = text.indexOf('\n', at);
    const stop = newline < 0 || newline > end ? end : newline;
    yield { start: at, end: stop > at && text[stop - 1] === '\r' ? stop - 1 : stop };
    at = stop + 1;
  }
}

export const chunkOf = (text: string, { start, end }: Span, headings: readonly string[]): Chunk => ({
  start,
  end,
  text: text.slice(start, end),
  headings,
});
