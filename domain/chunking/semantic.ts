/** Neighbouring sentences that are about the same thing, by similarities that the caller measured. */
import { cut, paragraphs, words } from './cut.ts';
import type { Span } from './span.ts';

/**
 * `similarities[i]` is that of sentence i and the one after it. A chunk ends where it is less than those of the share
 * `breaks` of all neighbours (the percentile rule of Kamradt's semantic splitter), and where the next sentence would not
 * fit.
 */
export function semantic(
  text: string,
  sentences: readonly Span[],
  similarities: readonly number[],
  { size, breaks }: { readonly size: number; readonly breaks: number },
): Span[] {
  const expected = Math.max(0, sentences.length - 1);
  if (similarities.length !== expected || !similarities.every(Number.isFinite))
    throw new RangeError(
      `${sentences.length} sentences need ${expected} similarities, each a number; there are ${similarities.length}.`,
    );
  const least = quantile(similarities, breaks);
  const pieces: Span[] = [];
  let current: Span | null = null;
  for (const [place, sentence] of sentences.entries()) {
    const isAlike = place > 0 && (similarities[place - 1] ?? 0) >= least;
    if (current !== null && isAlike && sentence.end - current.start <= size) {
      current = { start: current.start, end: sentence.end };
      continue;
    }
    if (current !== null) pieces.push(current);
    current = sentence;
    if (sentence.end - sentence.start > size) {
      for (const piece of cut(text, sentence, size, [paragraphs, words])) pieces.push(piece);
      current = pieces.pop() ?? null;
    }
  }
  if (current !== null) pieces.push(current);
  return pieces;
}

/** The least similarity that no chunk ends at. */
function quantile(similarities: readonly number[], breaks: number): number {
  const sorted = [...similarities].sort((a, b) => a - b);
  // Without the small change 0.07 of 100 would be a little over 7.
  const alike = Math.ceil(breaks * sorted.length - 1e-9);
  return sorted[sorted.length - alike] ?? Number.NEGATIVE_INFINITY;
}
