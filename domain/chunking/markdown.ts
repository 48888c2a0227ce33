/**
 * Markdown by its structure.
 *
 * 1. A section that fits, with everything below it, is one chunk. One that does not gives a chunk or more for what stands
 *    right under its heading, and then its own sections.
 * 2. A list, a table, fenced code or a paragraph that fits is never cut.
 * 3. A heading goes with what follows it wherever both fit.
 */
import type { Chunk } from '../../contracts/retrieval.ts';
import { type BlockKind, blocksOf } from './blocks.ts';
import { cut, type Level, lines, paragraphs, sentences, words } from './cut.ts';
import { type Heading, headingsOf, type Path, under } from './outline.ts';
import { chunkOf, type Span, trimmed } from './span.ts';

interface Section {
  readonly heading: Heading;
  readonly path: Path;
  /** Where the next heading is, of whatever level. */
  readonly ownEnd: number;
  /** Where it ends with all the sections below it, and the number of the section after. */
  end: number;
  next: number;
}

const LEVELS: Readonly<Record<BlockKind, readonly Level[]>> = {
  prose: [paragraphs, sentences, words],
  list: [lines, words],
  table: [lines, words],
  code: [paragraphs, lines, words],
};

/** Sections next to each other that are shorter than this share of `size` go into one chunk. */
const SHORT = 1 / 10;
/** A longer heading is text, and is not carried along to the first section below it. */
const CARRIED = 1 / 4;

export function markdownChunks(text: string, size: number): Chunk[] {
  const sections = sectionsOf(text);
  const all = trimmed(text, 0, text.length);
  const preamble = trimmed(text, 0, sections[0]?.heading.start ?? text.length);
  const isOneSection = lengthOf(preamble) === 0 && sections[0]?.next === sections.length;
  if (lengthOf(all) <= size && !isOneSection) return lengthOf(all) === 0 ? [] : [chunkOf(text, all, [])];
  return [
    ...packed(text, null, preamble, size).map((span) => chunkOf(text, span, [])),
    ...placed(text, sections, size).map(({ span, titles }) => chunkOf(text, span, titles)),
  ];
}

interface Placed {
  readonly span: Span;
  readonly titles: readonly string[];
  /** Of the last section in it, where it holds nothing but short ones and may take up the next. */
  readonly open: Path | null;
}

function placed(text: string, sections: readonly Section[], size: number): Placed[] {
  const chunks: Placed[] = [];
  // Where headings begin that have nothing of their own, and wait for the section below.
  let carried: number | null = null;
  for (let at = 0; at < sections.length; ) {
    const section = sections[at];
    if (section === undefined) break;
    const { heading, path } = section;
    const { titles } = path;
    const whole = trimmed(text, heading.start, section.end);
    if (carried !== null && lengthOf(whole) <= size && whole.end - carried > size) {
      chunks.push({ span: trimmed(text, carried, heading.start), titles: path.parent?.titles ?? [], open: null });
      carried = null;
    }
    const start: number = carried ?? heading.start;
    const isBare = lengthOf(trimmed(text, heading.end, section.ownEnd)) === 0;
    carried = null;
    if (whole.end - start <= size) {
      join(chunks, trimmed(text, start, whole.end), path, size);
      at = section.next;
    } else {
      if (isBare && section.next > at + 1 && heading.end - start <= size * CARRIED) carried = start;
      else {
        const head = { start, end: heading.end };
        const own = { start: heading.end, end: section.ownEnd };
        for (const span of packed(text, head, own, size)) chunks.push({ span, titles, open: null });
      }
      at++;
    }
  }
  return chunks;
}

/** A short section goes to the one before, where that is short as well and has the same parent. */
function join(chunks: Placed[], span: Span, path: Path, size: number): void {
  const open = lengthOf(span) < size * SHORT ? path : null;
  const last = chunks.at(-1);
  if (open && last?.open && last.open.parent === open.parent && span.end - last.span.start <= size) {
    const joined = { start: last.span.start, end: span.end };
    chunks[chunks.length - 1] = { span: joined, titles: open.parent?.titles ?? [], open };
  } else chunks.push({ span, titles: path.titles, open });
}

function packed(text: string, head: Span | null, part: Span, size: number): Span[] {
  const pieces = head === null ? [] : cut(text, head, size, [words]);
  let current = pieces.pop() ?? null;
  let isHead = current !== null;
  for (const block of blocksOf(text, part)) {
    if (current !== null && block.end - current.start <= size) {
      current = { start: current.start, end: block.end };
    } else if (lengthOf(block) <= size) {
      if (current !== null) pieces.push(current);
      current = block;
    } else {
      if (current !== null && !isHead) pieces.push(current);
      const start: number = current !== null && isHead ? current.start : block.start;
      for (const piece of cut(text, { start, end: block.end }, size, LEVELS[block.kind])) pieces.push(piece);
      current = pieces.pop() ?? null;
    }
    isHead = false;
  }
  if (current !== null) pieces.push(current);
  return pieces.map(({ start, end }) => trimmed(text, start, end));
}

function sectionsOf(text: string): Section[] {
  const headings = [...headingsOf(text)];
  const sections: Section[] = [];
  const open: Section[] = [];
  let path: Path | null = null;
  for (const [number, heading] of headings.entries()) {
    for (let last = open.at(-1); last !== undefined && last.heading.level >= heading.level; last = open.at(-1)) {
      last.end = heading.start;
      last.next = number;
      open.pop();
    }
    path = under(path, heading);
    const ownEnd = headings[number + 1]?.start ?? text.length;
    const section = { heading, path, ownEnd, end: text.length, next: headings.length };
    sections.push(section);
    open.push(section);
  }
  return sections;
}

const lengthOf = ({ start, end }: Span): number => end - start;
