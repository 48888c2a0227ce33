import { expect, test } from 'vitest';
import { seeded } from '../../../domain/random.ts';
import { denseNdcg } from '../../../ml/retrieval/dense-ndcg.ts';
import { inner, nearest, type Vectors } from '../../../ml/retrieval/exact.ts';

const random = (count: number, dimensions: number, seed: number): Vectors => {
  const next = seeded(seed);
  return { dimensions, data: Float32Array.from({ length: count * dimensions }, () => next() - 0.5) };
};
const vectors = (...rows: number[][]): Vectors => ({
  dimensions: rows[0]?.length ?? 0,
  data: Float32Array.from(rows.flat()),
});

test.each([10, 203])(
  'the first %i are what sorting every inner product finds, over block borders and odd dimensions',
  (depth) => {
    const [queries, documents] = [random(7, 19, 1), random(203, 19, 2)];
    const { rows, scores } = nearest(queries, documents, depth);
    for (let query = 0; query < 7; query++) {
      const all = Array.from({ length: 203 }, (_, row) => ({
        row,
        score: Math.fround(inner(queries, query, documents, row)),
      }));
      const expected = all.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, depth);
      expect([...(rows[query] ?? [])]).toEqual(expected.map(({ row }) => row));
      expect([...(scores[query] ?? [])]).toEqual(expected.map(({ score }) => score));
    }
  },
);

test('an inner product is the sum over all dimensions', () => {
  const one = vectors([1, 2, 3, 4, 5, 6, 7]);
  expect(inner(one, 0, one, 0)).toBe(140);
});

test('of equal documents the first of the corpus comes first, also where only some of them fit', () => {
  const documents = vectors([1, 0], [2, 0], [2, 0], [1, 0], [2, 0], [1, 0]);
  expect([...(nearest(vectors([1, 0]), documents, 4).rows[0] ?? [])]).toEqual([1, 2, 4, 0]);
  expect([...(nearest(vectors([1, 0]), documents, 2).rows[0] ?? [])]).toEqual([1, 2]);
});

test('a corpus smaller than the depth gives all that it has', () => {
  expect([...(nearest(vectors([1, 0]), vectors([0, 1], [1, 0]), 10).rows[0] ?? [])]).toEqual([1, 0]);
});

test('vectors of another width, or with a number that is none, are refused by name', () => {
  expect(() => nearest(vectors([1, 0, 0]), vectors([1, 0]), 1)).toThrow(/rows of 3, expected rows of 2/);
  expect(() => nearest(vectors([1, 0]), vectors([1, 0], [0, Number.NaN]), 1)).toThrow('documents: row 1 holds NaN');
});

test('NDCG of a query is that of the ranking by inner product', () => {
  const corpus = { ids: ['a', 'b', 'c'], vectors: vectors([1, 0], [0, 1], [0.9, 0.1]) };
  const queries = [
    { id: 'q1', text: '', judgements: { a: 1 } },
    { id: 'q2', text: '', judgements: { c: 1 } },
    { id: 'q3', text: '', judgements: { elsewhere: 1 } },
  ];
  const scores = denseNdcg(queries, vectors([1, 0], [0, 1], [1, 0]), corpus);
  expect(scores).toEqual([1, 1 / Math.log2(3), 0]);
});
