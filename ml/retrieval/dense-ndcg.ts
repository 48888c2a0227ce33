import { DEPTH, type JudgedQuery, ndcg } from '../../domain/rank-metrics.ts';
import { nearest, type Vectors } from './exact.ts';

/** A corpus as an encoder sees it: one row for each id. */
export interface EncodedCorpus {
  readonly ids: readonly string[];
  readonly vectors: Vectors;
}

/** NDCG@10 of each query by exact search, in the order of the queries, whose vectors are given in that order too. */
export function denseNdcg(queries: readonly JudgedQuery[], vectors: Vectors, corpus: EncodedCorpus): number[] {
  const { rows } = nearest(vectors, corpus.vectors, DEPTH);
  if (rows.length !== queries.length) throw new RangeError(`${queries.length} queries, ${rows.length} vectors`);
  return queries.map(({ judgements }, query) =>
    ndcg(
      Array.from(rows[query] ?? [], (row) => corpus.ids[row] ?? ''),
      judgements,
    ),
  );
}
