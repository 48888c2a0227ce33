/** What a Markdown text without headings is made of: paragraphs, lists, tables and fenced code. */
import { closes, type Fence, fenceOf } from './outline.ts';
import { linesOf, type Span } from './span.ts';

export type BlockKind = 'prose' | 'list' | 'table' | 'code';

export interface Block extends Span {
  readonly kind: BlockKind;
}

const ITEM = /^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]/;
const ROW = /^[ \t]*\|/;
/** The line below the head of a table: |---|:--:| */
const RULE = /^[ \t]*(?:\|[ \t]*)?:?-+:?[ \t]*\|[-:| \t]*$/;
const INDENTED = /^(?: {2}|\t)/;

export function* blocksOf(text: string, part: Span): Generator<Block> {
  let block: Block | null = null;
  let fence: Fence | null = null;
  let afterEmpty = false;
  for (const { start, end } of linesOf(text, part)) {
    const line = text.slice(start, end);
    if (line.trim() === '') {
      afterEmpty = true;
      continue;
    }
    if (fence !== null && block !== null) {
      block = extended(block, end);
      if (closes(line, fence)) {
        yield block;
        block = null;
        fence = null;
      }
      continue;
    }
    fence = fenceOf(line);
    const kind: BlockKind = fence ? 'code' : ITEM.test(line) ? 'list' : ROW.test(line) ? 'table' : 'prose';
    if (block !== null && goesOn(block, kind, line, afterEmpty)) {
      block = extended(block.kind === 'prose' && RULE.test(line) ? { ...block, kind: 'table' } : block, end);
    } else {
      if (block !== null) yield block;
      block = { start, end, kind };
    }
    afterEmpty = false;
  }
  if (block !== null) yield block;
}

const extended = ({ start, kind }: Block, end: number): Block => ({ start, end, kind });

/** Items of one list may have empty lines between them, and paragraphs of their own. */
function goesOn(block: Block, kind: BlockKind, line: string, afterEmpty: boolean): boolean {
  if (kind === 'code') return false;
  if (block.kind === 'list') return kind === 'list' || !afterEmpty || INDENTED.test(line);
  return !afterEmpty && (kind === 'prose' || kind === block.kind);
}
