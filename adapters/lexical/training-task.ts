import { mean } from '../../domain/intervals.ts';
import type { JudgedQuery } from '../../domain/rank-metrics.ts';
import {
  beats,
  best,
  propose,
  type SearchPoint,
  type SearchSpace,
  settingsOf,
  type Trial,
} from '../../domain/settings-search.ts';
import { defineTask } from '../threads.ts';
import { type CorpusBytes, corpusSource } from './corpus-bytes.ts';
import { OpenIndexes, scoresOf } from './open-indexes.ts';

export interface TrainingWork {
  readonly indexFolder: string;
  readonly corpus: CorpusBytes;
  readonly queries: readonly JudgedQuery[];
  readonly space: SearchSpace;
  readonly seed: number;
  readonly trials: number;
  readonly milliseconds: number;
  /** What an earlier attempt tried already. */
  readonly history: readonly Trial[];
}

/** Searches on from the history and reports each trial; ends by number, by time, or with nothing left to try. */
export const training = defineTask(
  import.meta.url,
  (work: TrainingWork, report: (trial: Trial) => void, tick: () => void): Trial[] => {
    const until = performance.now() + work.milliseconds;
    const history = [...work.history];
    const indexes = new OpenIndexes(work.indexFolder, corpusSource(work.corpus), { memory: true, tick });
    const scores = (point: SearchPoint): number[] => scoresOf(indexes, settingsOf(point, work.space), work.queries);
    try {
      let soFar = history.length === 0 ? null : scores(best(history).point);
      // The champion is always tried: without it there is nothing to compare with.
      while (history.length < work.trials && (history.length === 0 || performance.now() < until)) {
        const point = propose(work.space, work.seed, history);
        if (point === null) break;
        const reached = scores(point);
        const trial = { point, score: mean(reached), kept: beats(reached, soFar) };
        if (trial.kept) soFar = reached;
        history.push(trial);
        report(trial);
      }
      return history;
    } finally {
      indexes.close();
    }
  },
);
