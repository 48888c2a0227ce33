/**
 * Vitals from the service's own query log.
 *
 * 1. Quality is read from those served queries that somebody judged: the two are joined by the query's words. What is judged
 *    are the documents of the default tenant, so only its queries are.
 * 2. Where nobody judged, quality may be read from clicks: under a name of its own.
 * 3. A request that failed counts as an error, not as a bad ranking. An answer put together of two variants is neither's.
 */
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import type { ReceivedAnswer } from '../../contracts/feedback.ts';
import type { Reading, Vitals } from '../../contracts/vitals.ts';
import { countClicks } from '../../domain/click-counts.ts';
import { fitClickModel } from '../../domain/click-model.ts';
import { clickedNdcg } from '../../domain/clicked-ndcg.ts';
import { meanReading, percentileReading, shareReading } from '../../domain/intervals.ts';
import { latencyHistogram, latencyReading } from '../../domain/latency-histogram.ts';
import { type JudgedQuery, type Judgements, rankScores } from '../../domain/rank-metrics.ts';
import { normalised } from '../../domain/tokens.ts';
import { flights } from '../answer-cache/flights.ts';
import type { FeedbackStore } from '../feedback/port.ts';
import type { QueryLog, ServedQuery } from '../query-log/port.ts';
import type { VitalsSource } from './port.ts';

export interface LogVitalsDeps {
  readonly queryLog: Pick<QueryLog, 'read'>;
  /** The judged queries that live traffic is held against. */
  judged(service: string): Promise<readonly JudgedQuery[]>;
  /** Absent: nothing is read from clicks. */
  readonly feedback?: Pick<FeedbackStore, 'received'>;
}

/**
 * The newest of the window, where a busy service has served more: the interval of so many is narrow already, and a look must
 * take a moment only, however long the window is.
 */
export const MOST_SERVED = 20_000;
/** Whoever repeats the look gets the same interval. */
const SEED = 7;

export const logVitals = ({ queryLog, judged, feedback }: LogVitalsDeps): VitalsSource => {
  const once = flights<readonly [readonly ServedQuery[], readonly JudgedQuery[]]>();
  return {
    async read(window) {
      const { service, from, to } = window;
      const [served, queries, received = []] = await Promise.all([
        queryLog.read({ ...window, limit: MOST_SERVED }),
        judged(service),
        // Of all variants: a document that they place differently tells one place from another.
        feedback?.received({ service, from, to, tenant: DEFAULT_TENANT, limit: MOST_SERVED }),
      ]);
      const rows = served.filter(({ teams }) => teams === undefined);
      const judgements = judgementsByQuery(queries);
      const found = { ...readingsOf(rows, judgements), ...clicked(rows, judgements, received) };
      const present = Object.entries(found).flatMap(([metric, { reading, counts }]) =>
        reading === null ? [] : [{ metric, reading, counts }],
      );
      return {
        service,
        variant: window.variant ?? null,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        readings: Object.fromEntries(present.map(({ metric, reading }) => [metric, reading])),
        ...(present.length > 0 && {
          counts: Object.fromEntries(present.map(({ metric, counts }) => [metric, counts])),
        }),
      } satisfies Vitals;
    },

    async series({ metric, ...window }) {
      const valuesOf = Object.hasOwn(SERIES, metric) ? SERIES[metric] : undefined;
      if (valuesOf === undefined) return [];
      const [served, queries] = await once(JSON.stringify(window), () =>
        Promise.all([queryLog.read({ ...window, limit: MOST_SERVED }), judged(window.service)]),
      );
      return valuesOf(served, judgementsByQuery(queries));
    },
  };
};

export const judgementsByQuery = (queries: readonly JudgedQuery[]): ByQuery =>
  new Map(queries.map(({ text, judgements }) => [normalised(text), judgements]));

interface Found {
  readonly reading: Reading | null;
  readonly counts: Readonly<Record<string, number>>;
}

type ByQuery = ReadonlyMap<string, Judgements>;

const latenciesOf = (rows: readonly ServedQuery[]): readonly number[] =>
  answeredOf(rows).map(({ latencyMs }) => latencyMs);
const costsOf = (rows: readonly ServedQuery[]): readonly number[] => rows.map(({ cost }) => 1_000 * cost);
const scoresOf = (rows: readonly ServedQuery[], judgements: ByQuery) =>
  answeredOf(rows)
    .filter(isOfDefault)
    .flatMap(({ query, ranked }) => {
      const judged = judgements.get(normalised(query));
      return judged === undefined ? [] : [rankScores(ranked, judged)];
    });
const answeredOf = (rows: readonly ServedQuery[]): readonly ServedQuery[] => rows.filter(({ error }) => error === null);

/** What the readings of these metrics are made of. */
const SERIES: Readonly<Record<string, (rows: readonly ServedQuery[], judgements: ByQuery) => readonly number[]>> = {
  latency: latenciesOf,
  'latency-p50': latenciesOf,
  'latency-p99': latenciesOf,
  errors: (rows) => rows.map(({ error }) => (error === null ? 0 : 1)),
  cost: costsOf,
  ndcg: (rows, judgements) => scoresOf(rows, judgements).map(({ ndcg }) => ndcg),
  mrr: (rows, judgements) => scoresOf(rows, judgements).map(({ mrr }) => mrr),
  recall: (rows, judgements) => scoresOf(rows, judgements).map(({ recall }) => recall),
};

const isOfDefault = ({ tenant = DEFAULT_TENANT }: ServedQuery): boolean => tenant === DEFAULT_TENANT;

function readingsOf(rows: readonly ServedQuery[], judgements: ByQuery): Record<string, Found> {
  const answered = answeredOf(rows);
  const scored = scoresOf(rows, judgements);
  const latencies = latenciesOf(rows);
  const histogram = latencyHistogram(latencies);
  const quality = { answered: answered.length, judged: scored.length };
  const timed = { answered: answered.length };
  const failed = rows.length - answered.length;
  return {
    ndcg: { reading: meanReading(scored.map(({ ndcg }) => ndcg)), counts: quality },
    mrr: { reading: meanReading(scored.map(({ mrr }) => mrr)), counts: quality },
    recall: { reading: meanReading(scored.map(({ recall }) => recall)), counts: quality },
    latency: { reading: percentileReading(latencies, 0.95), counts: timed },
    'latency-p50': { reading: latencyReading(histogram, 0.5), counts: timed },
    'latency-p99': { reading: latencyReading(histogram, 0.99), counts: timed },
    errors: { reading: shareReading(failed, rows.length), counts: { requests: rows.length, failed } },
    cost: { reading: meanReading(costsOf(rows)), counts: { requests: rows.length } },
  };
}

function clicked(
  rows: readonly ServedQuery[],
  judgements: ByQuery,
  received: readonly ReceivedAnswer[],
): Record<string, Found> {
  if (received.length === 0) return {};
  const shown = received.filter((answer) => answer.shown !== null);
  const model = fitClickModel(countClicks(shown));
  const unjudged = rows.filter(
    (row) => row.error === null && isOfDefault(row) && !judgements.has(normalised(row.query)),
  );
  const counts = { impressions: shown.length, clicks: model.clicks, unjudged: unjudged.length };
  return { 'ndcg-from-clicks': { reading: clickedNdcg(unjudged, model, SEED), counts } };
}
