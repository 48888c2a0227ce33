import { words } from './cut.ts';
import { firstInk, isBlank, type Span, trimmed, whole } from './span.ts';

/** A piece ends at white space where there is some in its last fifth. */
const LAST = 1 / 5;

/** Pieces of a size, each repeating the end of the one before from a word on. */
export function fixed(text: string, size: number, overlap: number): Span[] {
  const pieces: Span[] = [];
  const { start, end } = trimmed(text, 0, text.length);
  for (let at = start; at < end; ) {
    const limit = at + size;
    const blank = limit >= end ? end : words(text, Math.max(at, Math.floor(limit - size * LAST)), limit);
    const stop = blank < 0 ? whole(text, limit) : blank;
    const piece = trimmed(text, at, stop);
    // After a long gap the end of the piece before may be all that is left here.
    if (piece.end > (pieces.at(-1)?.end ?? -1)) pieces.push(piece);
    if (stop === end) break;
    const again = wordAfter(text, whole(text, stop - overlap), stop);
    at = firstInk(text, again > at ? again : stop, end);
  }
  return pieces;
}

function wordAfter(text: string, from: number, to: number): number {
  for (let at = from; at < to; at++) if (isBlank(text, at - 1)) return at;
  return from;
}
