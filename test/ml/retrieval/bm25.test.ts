import { expect, test } from 'vitest';
import { Bm25 } from '../../../ml/retrieval/bm25.ts';

const index = new Bm25([['wing', 'lift', 'lift'], ['wing', 'flow'], ['heat', 'flow'], []]);

test('a score is what the formula says', () => {
  // idf = ln(1 + 3.5 / 1.5), tf = 2, length 3 of 7/4 on average
  const norm = 1.2 * (0.25 + (0.75 * 3) / (7 / 4));
  expect(index.scores(['lift'])[0]).toBeCloseTo((Math.log(1 + 3.5 / 1.5) * 2 * 2.2) / (2 + norm), 6);
});

test('rare words weigh more, and documents without any score 0', () => {
  expect(index.idf('lift')).toBeGreaterThan(index.idf('wing'));
  expect([...index.scores(['wing'])].map((score) => score > 0)).toEqual([true, true, false, false]);
  expect(index.idf('unheard-of')).toBe(0);
});

test('asking twice for a word changes nothing', () => {
  expect(index.scores(['wing', 'wing'])).toEqual(index.scores(['wing']));
});
