/**
 * Vitals from the service's own query log. Quality is read from those served queries that somebody judged: the two are
 * joined by the query's words. A request that failed counts as an error, not as a bad ranking.
 */
import type { Reading, Vitals } from '../../contracts/vitals.ts';
import { meanReading, percentileReading, shareReading } from '../../domain/intervals.ts';
import { type JudgedQuery, type Judgements, rankScores } from '../../domain/rank-metrics.ts';
import { normalised } from '../../domain/tokens.ts';
import type { QueryLog, ServedQuery } from '../query-log/port.ts';
import type { VitalsSource } from './port.ts';

export interface LogVitalsDeps {
  readonly queryLog: Pick<QueryLog, 'read'>;
  /** The judged queries that live traffic is held against. */
  judged(service: string): Promise<readonly JudgedQuery[]>;
}

/**
 * The newest of the window, where a busy service has served more: the interval of so many is narrow already, and a look must
 * take a moment only, however long the window is.
 */
export const MOST_SERVED = 20_000;

export const logVitals = ({ queryLog, judged }: LogVitalsDeps): VitalsSource => ({
  async read(window) {
    const [rows, queries] = await Promise.all([
      queryLog.read({ ...window, limit: MOST_SERVED }),
      judged(window.service),
    ]);
    const readings = readingsOf(rows, judgementsByQuery(queries));
    return {
      service: window.service,
      variant: window.variant ?? null,
      from: new Date(window.from).toISOString(),
      to: new Date(window.to).toISOString(),
      readings: Object.fromEntries(Object.entries(readings).filter(([, reading]) => reading !== null)),
    } as Vitals;
  },
});

export const judgementsByQuery = (queries: readonly JudgedQuery[]): ReadonlyMap<string, Judgements> =>
  new Map(queries.map(({ text, judgements }) => [normalised(text), judgements]));

function readingsOf(
  rows: readonly ServedQuery[],
  judgements: ReadonlyMap<string, Judgements>,
): Record<string, Reading | null> {
  const answered = rows.filter(({ error }) => error === null);
  const scored = answered.flatMap(({ query, ranked }) => {
    const judged = judgements.get(normalised(query));
    return judged === undefined ? [] : [rankScores(ranked, judged)];
  });
  return {
    ndcg: meanReading(scored.map(({ ndcg }) => ndcg)),
    mrr: meanReading(scored.map(({ mrr }) => mrr)),
    recall: meanReading(scored.map(({ recall }) => recall)),
    latency: percentileReading(
      answered.map(({ latencyMs }) => latencyMs),
      0.95,
    ),
    errors: shareReading(rows.length - answered.length, rows.length),
    cost: meanReading(rows.map(({ cost }) => 1_000 * cost)),
  };
}
