import { expect, test } from 'vitest';
import { notRuledOut } from '../../domain/canary/ruled-out.ts';

/** As many values as are asked for, of which so many are 1. */
const ones = (hits: number, n: number): number[] => Array.from({ length: n }, (_, i) => (i < hits ? 1 : 0));
/** Spread evenly around this middle, by a tenth to either side. */
const around = (middle: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => middle * (0.9 + (0.2 * i) / (n - 1)));
const doubts = (metric: string, size: number, challenger: readonly number[], baseline: readonly number[]) =>
  notRuledOut({ [metric]: size }, [{ metric, challenger, baseline }]);

test('a change is ruled out by enough values that are as good, and by few of them it is not', () => {
  expect(doubts('errors', 0.05, ones(0, 300), ones(0, 300))).toEqual([]);
  expect(doubts('errors', 0.05, ones(0, 20), ones(0, 20))).toEqual([
    'errors +5 points is not ruled out: it may be +21.3 points, by 20 and 20 values',
  ]);
  expect(doubts('latency', 0.5, around(40, 100), around(40, 100))).toEqual([]);
  expect(doubts('ndcg', 0.1, around(0.6, 100), around(0.6, 100))).toEqual([]);
});

test('what is as bad as that is never taken for ruled out, however much there is of it', () => {
  expect(doubts('errors', 0.05, ones(120, 2_000), ones(20, 2_000))).toHaveLength(1);
  expect(doubts('latency', 0.5, around(60, 500), around(40, 500))).toHaveLength(1);
  expect(doubts('ndcg', 0.1, around(0.54, 500), around(0.6, 500))).toHaveLength(1);
});

test('a change to the good is none to be noticed', () => {
  expect(doubts('latency', 0.5, around(10, 100), around(40, 100))).toEqual([]);
  expect(doubts('ndcg', 0.1, around(0.9, 100), around(0.6, 100))).toEqual([]);
});

test('values that are missing rule nothing out, nor does a size that there is nothing to hold against', () => {
  expect(doubts('latency', 0.5, [], around(40, 100))).toEqual([
    'latency +50 % is not ruled out: 0 and 100 values say nothing of it',
  ]);
  expect(doubts('latency', 0.5, Array(50).fill(Number.NaN), around(40, 100))).toHaveLength(1);
  expect(doubts('ndcg', 0.1, ones(0, 500), ones(0, 500))).toHaveLength(1);
  expect(notRuledOut({ 'no such': 0.1 }, [])).toEqual([
    'no such +10 % is not ruled out: 0 and 0 values say nothing of it',
  ]);
});
