/**
 * As many parts of documents as are asked for, without an encoder: words as often as in a real collection, and vectors in
 * clusters, as encoders give them. The same seed gives the same corpus.
 */
import type { IndexedDocument } from '../../adapters/retrieval/port.ts';
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import { seeded } from '../../domain/random.ts';

export interface MadeCorpus {
  document(at: number): IndexedDocument;
  /** Near a cluster that documents are near too. */
  question(at: number): { readonly query: string; readonly vector: Float32Array };
}

const DIMENSIONS = 384;
const CLUSTERS = 500;
/** How far a vector is from the middle of its cluster, in lengths of the middle. */
const SPREAD = 0.9;
const WORDS = { least: 40, most: 160 };
const QUESTION_WORDS = 6;

export const madeCorpus = (texts: readonly string[], seed: number): MadeCorpus => {
  const words = texts.flatMap((text) => text.toLowerCase().match(/[a-z]{2,}/g) ?? []);
  const middles = Array.from({ length: CLUSTERS }, (_, at) => normal(seeded(seed + at)));
  const near = (random: () => number): Float32Array => {
    const middle = middles[Math.floor(random() * CLUSTERS)] as Float32Array;
    const apart = normal(random);
    return unit(middle.map((x, i) => x + SPREAD * (apart[i] as number)));
  };
  const text = (random: () => number, count: number): string =>
    Array.from({ length: count }, () => words[Math.floor(random() * words.length)]).join(' ');
  return {
    document: (at) => {
      const random = seeded(hashed(seed, at));
      const body = text(random, WORDS.least + Math.floor(random() * (WORDS.most - WORDS.least)));
      const chunk = { start: 0, end: body.length, text: body, headings: [], vector: near(random) };
      return {
        tenant: DEFAULT_TENANT,
        id: `d${at}`,
        title: text(random, 5),
        metadata: { part: at % 100 },
        chunks: [chunk],
      };
    },
    question: (at) => {
      const random = seeded(hashed(seed + 1, at));
      return { query: text(random, QUESTION_WORDS), vector: near(random) };
    },
  };
};

const hashed = (seed: number, at: number): number => Math.imul(seed * 2_654_435_761 + at, 2_246_822_519) >>> 0;

/** Of length 1, in every direction alike. */
const normal = (random: () => number): Float32Array =>
  unit(
    Float32Array.from(
      { length: DIMENSIONS },
      () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
    ),
  );

const unit = (vector: Float32Array): Float32Array => {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return vector.map((x) => x / length);
};
