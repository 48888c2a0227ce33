import { expect, test } from 'vitest';
import { findLosses } from '../../domain/diagnosis.ts';
import { mineSynonyms } from '../../domain/synonym-mining.ts';
import { trainingSplit } from '../../domain/training-split.ts';

const documents = Array.from({ length: 100 }, (_, n) => ({
  id: `d${n}`,
  words: n < 6 ? ['folder', 'path', `own${n}`] : [`topic${n % 20}`, `own${n}`, `filler${n % 7}`],
}));
const query = (n: number, text: string, id: string) => ({ id: `q${n}`, text, judgements: { [id]: 1 } });

test('a word that people ask with is paired with what the relevant documents say instead', () => {
  const queries = [
    ...[0, 1, 2, 3, 4].map((n) => query(n, 'remove a directory', `d${n}`)),
    ...Array.from({ length: 40 }, (_, n) => query(10 + n, `other question ${n}`, `d${20 + n}`)),
  ];
  const found = mineSynonyms({ documents, queries, most: 50 });
  const directory = found.find(({ word, source }) => word === 'directory' && source === 'queries');
  expect(directory?.synonyms).toContain('folder');
});

test('words that keep company in the corpus are found for words that are asked', () => {
  const found = mineSynonyms({ documents, queries: [query(1, 'which folder?', 'd50')], most: 50 });
  expect(found).toContainEqual(
    expect.objectContaining({ word: 'folder', synonyms: expect.arrayContaining(['path']), source: 'corpus' }),
  );
});

test('the same input gives the same candidates, best first, and no more than asked for', () => {
  const queries = Array.from({ length: 30 }, (_, n) => query(n, `topic${n % 20} folder`, `d${n}`));
  const found = mineSynonyms({ documents, queries, most: 5 });
  expect(found.length).toBeLessThanOrEqual(5);
  expect(mineSynonyms({ documents, queries, most: 5 })).toEqual(found);
});

test('what synonyms are mined from is never what they are judged on', () => {
  const queries = Array.from({ length: 200 }, (_, n) => query(n, 'x', 'd1'));
  const { mining, fitting } = trainingSplit(queries);
  expect(mining.length + fitting.length).toBe(200);
  expect(mining.filter((one) => fitting.includes(one))).toEqual([]);
  expect(Math.min(mining.length, fitting.length)).toBeGreaterThan(60);
});

test('a diagnosis names the words that carry the loss, and says nothing without a baseline', () => {
  const queries = [
    ...Array.from({ length: 5 }, () => ({ text: 'remove directory', ndcg: 0.1, unknown: ['directory'] })),
    ...Array.from({ length: 15 }, (_, n) => ({ text: `fine query ${n}`, ndcg: 0.9, unknown: [] })),
  ];
  const found = findLosses(queries, 0.8);
  expect(found).toMatchObject({ queries: 20, lost: 5, unknown: [{ term: 'directory', queries: 5 }] });
  expect(found.terms.map(({ term }) => term)).toEqual(['directory', 'remove']);
  expect(findLosses(queries, null)).toMatchObject({ lost: 0, worst: [], terms: [] });
});
