/** A share of simulated tests, with what Clopper and Pearson's interval says of it at 95 %. */
import { clopperPearson } from '../../domain/statistics/special.ts';
import { atMost, explaining, type Figure } from '../benchmark.ts';

export const rate = (name: string, hits: number, of: number): Figure => explaining(name, (100 * hits) / of, '%', of);

/** That it is above the limit must not be shown: the lower bound is held against it, if there is one. */
export const bounded = (name: string, hits: number, of: number, limit: number | null): readonly Figure[] => {
  const { low, high } = clopperPearson(hits, of, 0.05);
  const lower = explaining('  95 % lower bound', 100 * low, '%', of);
  return [
    rate(name, hits, of),
    limit === null ? lower : atMost(100 * limit, lower),
    explaining('  95 % upper bound', 100 * high, '%', of),
  ];
};
