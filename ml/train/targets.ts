/** What a batch feeds to its loss: which rows are picked, and the weights that losses.ts speaks of. */
import type { Feed, Feeds } from '../session/session.ts';
import type { Batch } from './batch.ts';
import type { ListLoss } from './losses.ts';

/** Rows of the encoder's output by position: a matrix that is 1 where a row is picked. `null` picks nothing, which is 0. */
export function picking(rows: readonly (number | null)[], outOf: number): Feed {
  const data = new Float32Array(rows.length * outOf);
  for (const [n, row] of rows.entries()) if (row !== null) data[n * outOf + row] = 1;
  return { type: 'float32', shape: [rows.length, outOf], data };
}

/** Rows that are candidates: every document of the batch. */
export const candidatesOf = ({ texts }: Batch): number[] =>
  [...texts.keys()].filter((row) => texts[row]?.side === 'document');

/** The lists of a batch after one another, all as long as the longest. */
export function listsOf({ lists }: Batch): (number | null)[] {
  const length = longest(lists);
  return lists.flatMap((list) => Array.from({ length }, (_, i) => list[i] ?? null));
}

export function inBatchTargets(batch: Batch): Feeds {
  const candidates = candidatesOf(batch);
  const shape = [batch.queries.length, candidates.length] as const;
  const isOwn = (n: number, at: number): boolean => candidates[at] === batch.lists[n]?.[0];
  const isOther = (n: number, at: number): boolean => !isOwn(n, at) && batch.isRelevant(n, candidates[at] as number);
  return {
    'target.own': matrix(...shape, (n, at) => (isOwn(n, at) ? 1 / batch.queries.length : 0)),
    'target.excluded': matrix(...shape, (n, at) => (isOther(n, at) ? 1 : 0)),
  };
}

/** `queries`: by how many the mean is taken; more than the batch holds, where it is a part of a larger one. */
export function listTargets(loss: ListLoss, { lists, grades }: Batch, queries = lists.length): Feeds {
  const length = longest(lists);
  const isThere = (n: number, i: number): boolean => i < (lists[n]?.length ?? 0);
  const grade = (n: number, i: number): number => grades[n]?.[i] ?? 0;
  const isPair = (n: number, i: number, j: number): boolean => isThere(n, j) && grade(n, i) > grade(n, j);
  const eachList = (at: (n: number, i: number) => number): Feed =>
    matrix(lists.length, length, (n, i) => (isThere(n, i) ? at(n, i) : 0));
  const eachPair = (weight: (n: number) => number): Feed => ({
    ...matrix(lists.length, length ** 2, (n, ij) =>
      isPair(n, Math.floor(ij / length), ij % length) ? weight(n) / queries : 0,
    ),
    shape: [lists.length, length, length],
  });

  if (loss === 'ranknet') return { 'target.pairs': eachPair((n) => 1 / pairsIn(grades[n] ?? [])) };
  if (loss === 'lambdarank') {
    const best = grades.map(bestDcg);
    return {
      'target.pairs': eachPair(() => 1),
      'target.gains': eachList((n, i) => (2 ** grade(n, i) - 1) / (best[n] || 1)),
      'target.present': eachList(() => 1),
      'target.positions': matrix(1, length, (_, i) => i),
    };
  }
  return {
    'target.grades': eachList(grade),
    'target.weights': eachList((n) => 1 / ((lists[n]?.length ?? 1) * queries)),
  };
}

const longest = (lists: Batch['lists']): number => Math.max(...lists.map(({ length }) => length));

const pairsIn = (grades: readonly number[]): number =>
  grades.reduce((pairs, better) => pairs + grades.filter((worse) => better > worse).length, 0);

const bestDcg = (grades: readonly number[]): number =>
  grades
    .toSorted((a, b) => b - a)
    .map((grade, rank) => (2 ** grade - 1) / Math.log2(rank + 2))
    .reduce((sum, gain) => sum + gain, 0);

const matrix = (rows: number, columns: number, at: (row: number, column: number) => number): Feed => ({
  type: 'float32',
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, (_, n) => at(Math.floor(n / columns), n % columns)),
});
