import { PawlError } from '../contracts/failures.ts';
import type { Chunk, ChunkSettings, SourceDocument } from '../contracts/retrieval.ts';
import { chunksOf } from '../domain/chunking/chunks.ts';
import { sentencesOf } from '../domain/chunking/sentences.ts';

type Embed = (texts: readonly string[]) => Promise<Float32Array>;

/** With more of them to embed, one document would keep all others waiting: it is cut by its paragraphs instead. */
const MOST_SENTENCES = 10_000;

type Cut = (document: SourceDocument) => Promise<readonly Chunk[]>;

/** How documents are cut under these settings. One that has a title only is found by its title. */
export const cutting = (settings: ChunkSettings, embed: Embed | null): Cut => {
  const cut = textCutting(settings, embed);
  return async (document) => {
    const chunks = await cut(document);
    return chunks.length === 0 && document.title !== '' ? [{ start: 0, end: 0, text: '', headings: [] }] : chunks;
  };
};

const textCutting = (settings: ChunkSettings, embed: Embed | null): Cut => {
  if (settings.method !== 'semantic') return async (document) => chunksOf(document, settings);
  if (!embed) {
    throw new PawlError('ConfigInvalid', 'Chunks by meaning need an encoder, and this variant has none', {
      hint: 'Choose an encoder under `dense`, or another method of chunking.',
    });
  }
  return async (document) => {
    const { text } = document;
    const sentences = sentencesOf(text).map(({ start, end }) => text.slice(start, end));
    if (sentences.length > MOST_SENTENCES) return chunksOf(document, { method: 'recursive', size: settings.size });
    const vectors = sentences.length > 1 ? await embed(sentences) : new Float32Array();
    const alike = neighbours(vectors, sentences.length);
    return chunksOf(document, settings, () => alike);
  };
};

/** Vectors have length 1, so their product is how alike they are. */
const neighbours = (vectors: Float32Array, count: number): number[] => {
  const width = vectors.length / count;
  return Array.from({ length: Math.max(0, count - 1) }, (_, at) => {
    let product = 0;
    for (let i = 0; i < width; i++)
      product += (vectors[at * width + i] as number) * (vectors[(at + 1) * width + i] as number);
    return product;
  });
};
