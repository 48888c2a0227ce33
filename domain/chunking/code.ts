/**
 * Program text by its blocks, of whatever language: what is indented belongs to the line above it that is less so.
 *
 * A chunk ends before a line of the least indentation there is, after an empty line if possible; never before a line that
 * closes or continues a block, nor between a comment and what it is about, unless nothing else is left.
 */
import type { Chunk } from '../../contracts/retrieval.ts';
import { cut, type Level, words } from './cut.ts';
import { chunkOf, firstInk, linesOf, whole } from './span.ts';

interface Lines {
  /** Where each line that is not empty has its first letter or sign. */
  readonly ink: readonly number[];
  /** How good it is to begin a chunk with it, 0 the best. */
  readonly ranks: readonly number[];
  /** The line whose block it stands in; -1 at the top. */
  readonly parents: readonly number[];
}

/** Deeper blocks are cut like lines. */
const DEEPEST = 6;
const WORST = 2 * DEEPEST;
const TAB = 4;
const LONGEST_TITLE = 120;
/** Belongs to the line before. */
const CLOSES = /^(?:[{}()[\]]|(?:end|else|elif|except|catch|finally|then|do|fi|done)\b)/;
/** Belongs to the line after. */
const LEADS = /^(?:\/[/*]|#|\*|@|--)/;

export function codeChunks(text: string, size: number): Chunk[] {
  const known = linesIn(text);
  const levels = Array.from({ length: WORST + 1 }, (_, rank) => levelOf(known, rank));
  return cut(text, { start: 0, end: text.length }, size, [...levels, words]).map((span) =>
    chunkOf(text, span, titlesOver(text, known, span.start)),
  );
}

const levelOf =
  ({ ink, ranks }: Lines, worst: number): Level =>
  (text, from, to) => {
    // The line at the end of what is looked at may begin a little later, after its indentation.
    for (let line = lineAt(ink, firstInk(text, to, text.length)); (ink[line] ?? 0) > from; line--) {
      if ((ranks[line] ?? 0) > worst) continue;
      const before = text.lastIndexOf('\n', (ink[line] ?? 0) - 1);
      if (before > from && before <= to) return before;
    }
    return -1;
  };

function titlesOver(text: string, { ink, parents }: Lines, at: number): string[] {
  const titles: string[] = [];
  for (let line = parents[lineAt(ink, at)] ?? -1; line >= 0; line = parents[line] ?? -1) {
    const start = ink[line] ?? 0;
    const [first = ''] = text.slice(start, whole(text, start + LONGEST_TITLE)).split('\n', 1);
    titles.push(first.replace(/[\s{(:]+$/, ''));
  }
  return titles.reverse().slice(0, DEEPEST);
}

/** The number of the last line that begins at or before a place. */
function lineAt(ink: readonly number[], at: number): number {
  let low = 0;
  let high = ink.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ink[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function linesIn(text: string): Lines {
  const widths = leastWidths(text);
  const ink: number[] = [];
  const ranks: number[] = [];
  const parents: number[] = [];
  const open: Array<{ line: number; width: number }> = [];
  let afterEmpty = true;
  let afterLead = false;
  for (const span of linesOf(text, { start: 0, end: text.length })) {
    const at = firstInk(text, span.start, span.end);
    if (at === span.end) {
      afterEmpty = true;
      continue;
    }
    const sign = text.slice(at, at + 8);
    const width = widthOf(text, span.start, at);
    const goesBefore = LEADS.test(sign);
    const goesAfter = CLOSES.test(sign);
    while ((open.at(-1)?.width ?? -1) > width || (!goesAfter && open.at(-1)?.width === width)) open.pop();
    const depth = widths.indexOf(width);
    const belongs = goesAfter || (afterLead && !afterEmpty) || depth < 0;
    ranks.push(belongs ? WORST : 2 * depth + (afterEmpty ? 0 : 1));
    parents.push(open.findLast((one) => one.width < width)?.line ?? -1);
    if (!goesBefore && !goesAfter) open.push({ line: ink.length, width });
    ink.push(at);
    afterEmpty = false;
    afterLead = goesBefore;
  }
  return { ink, ranks, parents };
}

function leastWidths(text: string): number[] {
  const widths = new Set<number>();
  for (const { start, end } of linesOf(text, { start: 0, end: text.length })) {
    const at = firstInk(text, start, end);
    if (at < end) widths.add(widthOf(text, start, at));
  }
  return [...widths].sort((a, b) => a - b).slice(0, DEEPEST);
}

function widthOf(text: string, start: number, end: number): number {
  let width = 0;
  for (let at = start; at < end; at++) width += text[at] === '\t' ? TAB : 1;
  return width;
}
