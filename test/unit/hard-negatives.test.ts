import { expect, test } from 'vitest';
import { type Found, hardNegatives } from '../../domain/hard-negatives.ts';

const found = (answer: number | null, ...ranked: Array<[string, number]>): Found => ({
  answer,
  ranked: ranked.map(([id, score]) => ({ id, score })),
});
const dense = found(0.8, ['a', 0.9], ['right', 0.8], ['b', 0.7], ['c', 0.6], ['d', 0.5]);
const lexical = found(12, ['b', 20], ['e', 12], ['right', 12], ['f', 3]);
const RULE = { count: 3, skip: 0, ceiling: Number.POSITIVE_INFINITY };
const right = new Set(['right']);

test('a judged answer is never a negative, wherever it stands', () => {
  expect(hardNegatives([dense], right, { ...RULE, count: 9 })).toEqual(['a', 'b', 'c', 'd']);
});

test('retrievers take turns, and a document is taken once', () => {
  expect(hardNegatives([dense, lexical], right, { ...RULE, count: 9 })).toEqual(['a', 'b', 'c', 'e', 'd', 'f']);
  expect(hardNegatives([dense, lexical], right, RULE)).toEqual(['a', 'b', 'c']);
});

test('what scores better than the answer by too much may be an answer that nobody judged', () => {
  expect(hardNegatives([dense], right, { ...RULE, ceiling: 0.95 })).toEqual(['b', 'c', 'd']);
  expect(hardNegatives([lexical], right, { ...RULE, ceiling: 1 })).toEqual(['e', 'f']);
});

test('where the retriever does not know the answer nothing is too good', () => {
  expect(hardNegatives([{ ...dense, answer: null }], right, { ...RULE, ceiling: 0.1 })).toEqual(['a', 'b', 'c']);
});

test('the very first places are passed over where the rule says so', () => {
  expect(hardNegatives([dense], right, { ...RULE, skip: 3 })).toEqual(['c', 'd']);
});

test('with nothing found there are none', () => {
  expect(hardNegatives([], right, RULE)).toEqual([]);
  expect(hardNegatives([found(1)], right, RULE)).toEqual([]);
});
