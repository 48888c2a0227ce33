/** Several metrics at once: p-values, corrected so that each may be held against alpha, in the order in which they came. */

/** Holm (1979): the chance that anything at all is found where nothing is stays below alpha. */
export const holm = (ps: readonly number[]): readonly number[] =>
  corrected(ps, (p, rank, n) => p * (n - rank), 'upwards');

/** Benjamini and Hochberg (1995): of what is found, at most a share of alpha is not there. */
export const benjaminiHochberg = (ps: readonly number[]): readonly number[] =>
  corrected(ps, (p, rank, n) => (p * n) / (rank + 1), 'downwards');

/** A larger p may never become the smaller one: the largest so far counts upwards, the smallest so far downwards. */
const corrected = (
  ps: readonly number[],
  correct: (p: number, rank: number, n: number) => number,
  direction: 'upwards' | 'downwards',
): readonly number[] => {
  const order = ps.map((_, i) => i).sort((i, j) => (ps[i] ?? 1) - (ps[j] ?? 1));
  const result = ps.map(() => 1);
  let reached = direction === 'upwards' ? 0 : 1;
  for (let step = 0; step < ps.length; step += 1) {
    const rank = direction === 'upwards' ? step : ps.length - 1 - step;
    const i = order[rank] ?? 0;
    const p = correct(ps[i] ?? 1, rank, ps.length);
    reached = direction === 'upwards' ? Math.max(reached, p) : Math.min(reached, p);
    result[i] = Math.min(1, reached);
  }
  return result;
};
