/**
 * What an evaluation takes of a subject: of each metric two sums over the subject's answers, whose ratio over many subjects
 * is the metric.
 *
 * 1. A subject weighs as much as MOST_ANSWERS answers at most, however often it asks, and an answer is clicked or not,
 *    however often: what one subject can do to a metric is bounded.
 * 2. As in the vitals, a request that failed counts as an error and not as a bad ranking; only queries of the default tenant
 *    are held against judgements; and a document that a ranking repeats counts once.
 * 3. A metric that is no sum over answers (a percentile) has no values, and so never any data. `latency` is the mean here;
 *    'latency-over-800' is the share of answers that took longer than 800 ms, which is what a percentile guards.
 */
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import type { Metric } from '../../contracts/vitals.ts';
import { type Judgements, rankScores } from '../rank-metrics.ts';
import { normalised } from '../tokens.ts';

/** An answer that a subject got, as an evaluation looks at it. */
export interface SubjectAnswer {
  readonly at: number;
  readonly query: string;
  readonly ranked: readonly string[];
  readonly latencyMs: number;
  readonly error: string | null;
  readonly cost: number;
  readonly tenant: string | null;
  /** Somebody took a document of it. */
  readonly clicked: boolean;
}

/** The oldest of its window. */
export const MOST_ANSWERS = 50;

export interface Known {
  /** By the words of the query. */
  readonly judgements: ReadonlyMap<string, Judgements>;
  /** How good a ranking is by the clicks from before the evaluation; null where they say nothing of the query. */
  readonly clickedScore: (query: string, ranked: readonly string[]) => number | null;
}

/** Of one answer; null where the answer says nothing of the metric. */
type Value = (answer: SubjectAnswer, known: Known) => number | null;

const scored =
  (name: 'ndcg' | 'mrr' | 'recall'): Value =>
  ({ error, query, ranked, tenant }, { judgements }) => {
    const judged = judgements.get(normalised(query));
    return error !== null || judged === undefined || !isOfDefault(tenant) ? null : rankScores(ranked, judged)[name];
  };
const answered =
  (of: (answer: SubjectAnswer) => number): Value =>
  (answer) =>
    answer.error === null ? of(answer) : null;

const VALUES: Readonly<Record<string, Value>> = {
  ndcg: scored('ndcg'),
  mrr: scored('mrr'),
  recall: scored('recall'),
  'ndcg-from-clicks': ({ error, query, ranked, tenant }, { judgements, clickedScore }) =>
    error !== null || judgements.has(normalised(query)) || !isOfDefault(tenant) ? null : clickedScore(query, ranked),
  'click-share': answered(({ clicked }) => Number(clicked)),
  latency: answered(({ latencyMs }) => latencyMs),
  errors: ({ error }) => Number(error !== null),
  cost: ({ cost }) => 1_000 * cost,
};

const SLOWER = /^latency-over-(\d{1,6})$/;
const metricValue = (metric: Metric): Value | null => {
  const [, ms] = SLOWER.exec(metric) ?? [];
  if (ms !== undefined) return answered(({ latencyMs }) => Number(latencyMs > Number(ms)));
  return Object.hasOwn(VALUES, metric) ? (VALUES[metric] ?? null) : null;
};

/** Metrics of which each answer either is one or is not. */
export const isShare = (metric: Metric): boolean =>
  metric === 'errors' || metric === 'click-share' || SLOWER.test(metric);

export interface SubjectSums {
  readonly sum: number;
  /** Answers that it is over. */
  readonly count: number;
}

export const subjectSums = (metric: Metric, answers: readonly SubjectAnswer[], known: Known): SubjectSums => {
  const value = metricValue(metric);
  const values = answers
    .slice(0, MOST_ANSWERS)
    .map((answer) => value?.(answer, known) ?? null)
    .filter((one) => one !== null);
  return { sum: values.reduce((total, one) => total + one, 0), count: values.length };
};

const isOfDefault = (tenant: string | null): boolean => (tenant ?? DEFAULT_TENANT) === DEFAULT_TENANT;
