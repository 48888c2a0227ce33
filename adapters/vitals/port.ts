import type { Metric, Vitals } from '../../contracts/vitals.ts';

/** Readings of a live service over a window; a metric for which there is no data is absent. */
export interface VitalsSource {
  /** `mirrored`: of what was found without anybody seeing it, and of nothing else. */
  read(window: { service: string; from: number; to: number; variant?: string; mirrored?: boolean }): Promise<Vitals>;
  /**
   * The values that a reading is made of; the newest, where there are very many. latency: ms of each answered request; errors:
   * 0 or 1 of each request; cost: of each, US dollars for 1,000 like it; ndcg, mrr, recall: of each judged query. Empty for a
   * metric that is made of no such values. Several of one window, asked for at once, cost little more than one.
   */
  series(window: {
    service: string;
    from: number;
    to: number;
    variant: string;
    metric: Metric;
    mirrored?: boolean;
  }): Promise<readonly number[]>;
}
