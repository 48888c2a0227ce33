/** The headings of a Markdown text (CommonMark: # and underlined ones), and the path of them over a place. */
import { linesOf, type Span, whole } from './span.ts';

export interface Heading extends Span {
  /** 1 is the outermost. */
  readonly level: number;
  readonly title: string;
}

/** The headings over a place, the innermost at hand. */
export interface Path {
  readonly level: number;
  readonly parent: Path | null;
  readonly titles: readonly string[];
}

/** Code stands between two fences: nothing in it is a heading, an item or a row. */
export interface Fence {
  readonly mark: string;
  readonly length: number;
}

/** A longer heading is shortened, because every chunk below repeats it. */
const LONGEST = 200;
const NUMBERED = /^ {0,3}(#{1,6})[ \t]+(?=\S)/;
const CLOSING = /(?:^|[ \t])#+$/;
const UNDERLINE = /^ {0,3}(?:=+|-+)[ \t]*$/;
const FENCE = /^[ \t]*(?:(`{3,})[^`]*|(~{3,}).*)$/s;
/** What no underline makes a heading of: indented code, items, quotes and rows. */
const NO_TITLE = /^(?: {4}|\t| {0,3}(?:[-*+>|]|\d{1,9}[.)][ \t]))/;
const BORDER = /^---[ \t]*$/;
/** Front matter is settings, not a book. */
const MOST_FRONT_LINES = 200;

export function fenceOf(line: string): Fence | null {
  const found = FENCE.exec(line);
  const run = found?.[1] ?? found?.[2];
  return run === undefined ? null : { mark: run.charAt(0), length: run.length };
}

export function closes(line: string, { mark, length }: Fence): boolean {
  const run = line.trim();
  return run.length >= length && run === mark.repeat(run.length);
}

export function* headingsOf(text: string): Generator<Heading> {
  let fence: Fence | null = null;
  // A line alone in its paragraph so far: an underline right below makes it a heading.
  let alone: Span | null = null;
  let beginsParagraph = true;
  for (const span of linesOf(text, { start: frontMatterEnd(text), end: text.length })) {
    const line = text.slice(span.start, span.end);
    if (fence !== null) {
      if (closes(line, fence)) fence = null;
      continue;
    }
    const before: Span | null = alone;
    alone = null;
    const heading = numbered(span, line) ?? (before && UNDERLINE.test(line) ? underlined(text, before, span) : null);
    fence = fenceOf(line);
    if (heading !== null) yield heading;
    else if (beginsParagraph && fence === null && line.trim() !== '' && !NO_TITLE.test(line)) alone = span;
    beginsParagraph = heading !== null || line.trim() === '';
  }
}

export function under(path: Path | null, { level, title }: Heading): Path {
  let parent = path;
  while (parent !== null && parent.level >= level) parent = parent.parent;
  return { level, parent, titles: [...(parent?.titles ?? []), title] };
}

/** Tells the headings over a place; a heading stands under itself. Places are asked for in their order. */
export function outlineOf(text: string): (at: number) => readonly string[] {
  const headings = headingsOf(text);
  let next = headings.next();
  let path: Path | null = null;
  return (at) => {
    for (; !next.done && next.value.start <= at; next = headings.next()) path = under(path, next.value);
    return path?.titles ?? [];
  };
}

function numbered(span: Span, line: string): Heading | null {
  const mark = NUMBERED.exec(line);
  const title = mark === null ? '' : titleOf(line.slice(mark[0].length));
  return title === '' ? null : { ...span, level: mark?.[1]?.length ?? 1, title };
}

function underlined(text: string, title: Span, line: Span): Heading {
  const level = text.slice(line.start, line.end).trimStart().startsWith('=') ? 1 : 2;
  return { start: title.start, end: line.end, level, title: titleOf(text.slice(title.start, title.end)) };
}

function titleOf(line: string): string {
  const title = line.trim();
  if (title.length > LONGEST) return title.slice(0, whole(title, LONGEST));
  return title.replace(CLOSING, '').trimEnd();
}

function frontMatterEnd(text: string): number {
  let count = 0;
  for (const { start, end } of linesOf(text, { start: 0, end: text.length })) {
    const isBorder = BORDER.test(text.slice(start, end));
    if (count === 0 && !isBorder) return 0;
    if (count > 0 && isBorder) return end;
    if (++count > MOST_FRONT_LINES) return 0;
  }
  return 0;
}
