/** Documents, vectors and questions of the tests of chunk indexes. */
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import type { ChunkIndex, IndexedDocument, IndexQuestion, IndexRecipe } from '../../adapters/retrieval/port.ts';
import { hash32, seeded } from '../../domain/random.ts';

const DIMENSIONS = 8;

export const recipe = (over: Partial<IndexRecipe> = {}): IndexRecipe => ({
  service: 'docs',
  digest: 'a1'.repeat(32),
  tokenising: { stemming: false, splitIdentifiers: false },
  dimensions: DIMENSIONS,
  ...over,
});

/** Of length 1, and always the same for the same text. */
export const vectorOf = (text: string, dimensions = DIMENSIONS): Float32Array => {
  const random = seeded(hash32(text));
  return unit(Float32Array.from({ length: dimensions }, () => random() - 0.5));
};
const unit = (vector: Float32Array): Float32Array => {
  const length = Math.hypot(...vector);
  return vector.map((number) => number / length);
};

export const cosine = (one: Float32Array, other: Float32Array): number =>
  one.reduce((sum, number, at) => sum + number * (other[at] ?? 0), 0);

/** Its chunks are its sentences. */
export const documentOf = (id: string, text: string, over: Partial<IndexedDocument> = {}): IndexedDocument => {
  let end = 0;
  const sentences = text === '' ? [] : text.split(' | ');
  return {
    tenant: 'default',
    id,
    title: `Title of ${id}`,
    metadata: {},
    chunks: sentences.map((sentence) => {
      const start = end === 0 ? 0 : end + 3;
      end = start + sentence.length;
      return { start, end, text: sentence, headings: ['Part'], vector: vectorOf(sentence) };
    }),
    ...over,
  };
};

export const question = (text: string, over: Partial<IndexQuestion> = {}): IndexQuestion => ({
  tenant: 'default',
  filter: {},
  limit: 10,
  dense: { vector: vectorOf(text) },
  lexical: { query: text, settings: DEFAULT_SETTINGS },
  ...over,
});

/** Which documents each leg found. */
export const found = async (index: ChunkIndex, asked: IndexQuestion) => {
  const { dense, lexical } = await index.search(asked);
  return { dense: dense.map(({ document }) => document), lexical: lexical.map(({ document }) => document) };
};
