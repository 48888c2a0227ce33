import { hash32 } from './random.ts';
import type { JudgedQuery } from './rank-metrics.ts';

/**
 * Synonyms are mined from one half of the training queries and judged on the other. On the queries that they come from
 * they always look good.
 */
export function trainingSplit(queries: readonly JudgedQuery[]): { mining: JudgedQuery[]; fitting: JudgedQuery[] } {
  const forMining = ({ id }: JudgedQuery): boolean => hash32(`mining:${id}`) % 2 === 0;
  return { mining: queries.filter(forMining), fitting: queries.filter((query) => !forMining(query)) };
}
