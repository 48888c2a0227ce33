/**
 * From a document to its chunks.
 *
 * 1. `chunk.text` is exactly what stands from `start` to `end` of the document.
 * 2. Everything but white space is in a chunk, and a chunk neither begins nor ends with white space. No text, no chunk.
 * 3. No chunk is longer than `size`, except with the method `whole`.
 * 4. No chunk begins or ends between the two halves of a character beyond the basic plane.
 * 5. Time and memory grow with the length of the document, whatever it holds.
 */
import type { Chunk, ChunkSettings, SourceDocument } from '../../contracts/retrieval.ts';
import { codeChunks } from './code.ts';
import { cut, lines, paragraphs, sentences, words } from './cut.ts';
import { fixed } from './fixed.ts';
import { markdownChunks } from './markdown.ts';
import { outlineOf } from './outline.ts';
import { semantic } from './semantic.ts';
import { sentencesOf } from './sentences.ts';
import { chunkOf, type Span, trimmed } from './span.ts';

export type ChunkSource = Pick<SourceDocument, 'text' | 'format'>;

/** For each sentence but the last, how alike it and the next one are. */
export type SimilaritiesOf = (sentences: readonly string[]) => readonly number[];

/** What a service starts with. */
export const CHUNK_DEFAULTS = { size: 1_000, overlap: 200, breaks: 0.95 } as const;

/**
 * `similaritiesOf` is asked for the method `semantic` alone. Who must wait for an encoder takes the sentences from
 * `sentencesOf` first, and hands in here what came out.
 */
export function chunksOf(document: ChunkSource, settings: ChunkSettings, similaritiesOf?: SimilaritiesOf): Chunk[] {
  const { text, format } = document;
  check(settings);
  switch (settings.method) {
    case 'whole': {
      const all = trimmed(text, 0, text.length);
      return all.end > all.start ? [chunkOf(text, all, [])] : [];
    }
    case 'fixed':
      return underHeadings(document, fixed(text, settings.size, settings.overlap));
    case 'recursive':
      return underHeadings(document, recursive(document, settings.size));
    case 'structure':
      if (format === 'markdown') return markdownChunks(text, settings.size);
      if (format === 'code') return codeChunks(text, settings.size);
      return underHeadings(document, recursive(document, settings.size));
    case 'semantic': {
      if (similaritiesOf === undefined)
        throw new RangeError('Chunks by meaning need the similarities of neighbouring sentences: hand them in.');
      const all = sentencesOf(text);
      const similarities = similaritiesOf(all.map(({ start, end }) => text.slice(start, end)));
      return underHeadings(document, semantic(text, all, similarities, settings));
    }
  }
}

/** Paragraphs, then sentences (lines, where it is code), then words: cut as coarsely as the size allows. */
const recursive = ({ text, format }: ChunkSource, size: number): Span[] =>
  cut(text, { start: 0, end: text.length }, size, [paragraphs, format === 'code' ? lines : sentences, words]);

function underHeadings({ text, format }: ChunkSource, spans: readonly Span[]): Chunk[] {
  const headingsAt = format === 'markdown' ? outlineOf(text) : () => [];
  return spans.map((span) => chunkOf(text, span, headingsAt(span.start)));
}

/** A character may take two units; with more than half repeated, each chunk would add less than it repeats. */
function check(settings: ChunkSettings): void {
  const { size, overlap, breaks } = { size: 2, overlap: 0, breaks: 0, ...settings };
  if (!Number.isInteger(size) || size < 2)
    throw new RangeError(`size: expected a whole number of at least 2, found ${size}`);
  if (!Number.isInteger(overlap) || overlap < 0 || overlap > size / 2)
    throw new RangeError(`overlap: expected a whole number from 0 to half of size (${size / 2}), found ${overlap}`);
  if (!(breaks >= 0 && breaks <= 1)) throw new RangeError(`breaks: expected a share from 0 to 1, found ${breaks}`);
}
