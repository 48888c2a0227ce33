import type { JudgedQuery } from '../../domain/rank-metrics.ts';
import { denseNdcg } from '../../ml/retrieval/dense-ndcg.ts';
import type { Vectors } from '../../ml/retrieval/exact.ts';
import { defineTask } from '../threads.ts';

export interface DenseEvaluationWork {
  readonly queries: readonly JudgedQuery[];
  readonly queryVectors: Vectors;
  readonly ids: readonly string[];
  readonly vectors: Vectors;
}

const BATCH = 50;

/** NDCG@10 of every query by exact search; reports the queries done. */
export const denseEvaluation = defineTask(
  import.meta.url,
  ({ queries, queryVectors, ids, vectors }: DenseEvaluationWork, report: (done: number) => void): number[] => {
    const { data, dimensions } = queryVectors;
    const scores: number[] = [];
    for (let at = 0; at < queries.length; at += BATCH) {
      const batch = queries.slice(at, at + BATCH);
      const rows = { dimensions, data: data.subarray(at * dimensions, (at + batch.length) * dimensions) };
      scores.push(...denseNdcg(batch, rows, { ids, vectors }));
      report(scores.length);
    }
    return scores;
  },
);
