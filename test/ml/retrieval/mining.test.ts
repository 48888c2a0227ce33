import { expect, test } from 'vitest';
import { Bm25 } from '../../../ml/retrieval/bm25.ts';
import { minedNegatives } from '../../../ml/retrieval/mining.ts';

const corpus = {
  ids: ['answer', 'same words', 'same meaning', 'better', 'elsewhere'],
  bm25: new Bm25([['wing', 'lift'], ['wing', 'wing', 'span'], ['aerofoil'], ['wing', 'lift', 'lift'], ['slab']]),
  vectors: { dimensions: 2, data: Float32Array.from([0.9, 0.1, 0.2, 0.5, 0.8, 0.1, 1, 0, -1, 0]) },
};
const query = { tokens: ['wing', 'lift'], vector: Float32Array.of(1, 0), judgements: { answer: 2, elsewhere: 0 } };

test('negatives come from words and from meaning in turn, and never from what answers', () => {
  const rule = { count: 9, skip: 0, ceiling: Number.POSITIVE_INFINITY };
  expect(minedNegatives(corpus, query, rule)).toEqual(['better', 'same meaning', 'same words']);
});

test('what stands above the answer in a search may be an answer itself', () => {
  expect(minedNegatives(corpus, query, { count: 9, skip: 0, ceiling: 1 })).toEqual(['same words', 'same meaning']);
});
