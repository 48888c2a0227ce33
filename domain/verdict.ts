import type { Verdict } from '../contracts/stages.ts';
import type { Difference } from './bootstrap.ts';

/** With fewer queries than this an interval by bootstrap is not to be trusted. */
const FEWEST_QUERIES = 30;
/** A gain that is surely smaller than this part of the champion's score is nobody's reason to change what serves. */
const WORTH_WHILE = 0.03;

export interface OfflineVerdict {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
}

/** What an offline comparison on held-out queries means. `difference` is challenger − champion. */
export function judgeOffline(championScore: number, difference: Difference): OfflineVerdict {
  const { n, low, high } = difference;
  const interval = `NDCG@10 ${signed(difference.mean)} (95 % between ${signed(low)} and ${signed(high)})`;
  const over = `on ${n} held-out queries`;
  if (n < FEWEST_QUERIES) {
    return {
      verdict: 'inconclusive',
      reasons: [`only ${n} held-out queries, ${FEWEST_QUERIES} are needed to tell a difference from noise`],
    };
  }
  if (low > 0) return { verdict: 'better', reasons: [`${interval} ${over}: the whole interval is above zero`] };
  if (high < 0) return { verdict: 'worse', reasons: [`${interval} ${over}: the whole interval is below zero`] };
  if (high < WORTH_WHILE * championScore) {
    return {
      verdict: 'not better',
      reasons: [`${interval} ${over}: any gain is surely smaller than ${WORTH_WHILE * 100} % of the champion's score`],
    };
  }
  return {
    verdict: 'inconclusive',
    reasons: [`${interval} ${over}: the interval holds zero, and a gain worth having too`],
  };
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
