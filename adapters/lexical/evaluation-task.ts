import type { SearchSettings } from '../../contracts/variant.ts';
import type { JudgedQuery } from '../../domain/rank-metrics.ts';
import { defineTask } from '../threads.ts';
import { type CorpusBytes, corpusSource } from './corpus-bytes.ts';
import { OpenIndexes, scoresOf } from './open-indexes.ts';

export interface EvaluationWork {
  readonly indexFolder: string;
  readonly corpus: CorpusBytes;
  readonly queries: readonly JudgedQuery[];
  readonly settings: readonly SearchSettings[];
}

const BATCH = 50;

/** NDCG@10 of every query under each of the settings, on the very engine that serves; reports the queries done. */
export const evaluation = defineTask(
  import.meta.url,
  (work: EvaluationWork, report: (done: number) => void, tick: () => void): number[][] => {
    const indexes = new OpenIndexes(work.indexFolder, corpusSource(work.corpus), { tick });
    let done = 0;
    try {
      return work.settings.map((settings) => {
        const scores: number[] = [];
        for (let at = 0; at < work.queries.length; at += BATCH) {
          const batch = work.queries.slice(at, at + BATCH);
          scores.push(...scoresOf(indexes, settings, batch));
          done += batch.length;
          report(done);
        }
        return scores;
      });
    } finally {
      indexes.close();
    }
  },
);
