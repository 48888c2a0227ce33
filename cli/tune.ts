/** The search for a first champion: what a cycle's training does, before there is a cycle. */
import { mining } from '../adapters/lexical/mining-task.ts';
import { training } from '../adapters/lexical/training-task.ts';
import { DEFAULT_SETTINGS } from '../adapters/lexical/variant.ts';
import { readCorpus, readJudgedQueries } from '../adapters/service/data.ts';
import { runTask } from '../adapters/threads.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import { PawlError } from '../contracts/failures.ts';
import type { SearchSettings } from '../contracts/variant.ts';
import { best, searchSpace, settingsOf, type Trial } from '../domain/settings-search.ts';
import { trainingSplit } from '../domain/training-split.ts';

const MOST_CANDIDATES = 180;

export interface Tuned {
  readonly settings: SearchSettings;
  readonly trials: number;
  /** NDCG@10 on the training queries. */
  readonly before: number;
  readonly after: number;
}

export const tune = async (
  config: ServiceConfig,
  indexFolder: string,
  tell: (line: string) => void,
): Promise<Tuned> => {
  const { sha256, bytes: text } = await readCorpus(config);
  const corpus = { sha256, bytes: Buffer.from(text) };
  const split = trainingSplit(await readJudgedQueries(config, 'train'));
  if (split.fitting.length === 0) {
    throw new PawlError('NoData', 'There are too few training queries to tune on.', {
      hint: 'Add judged queries to the file under data.judgements.train, or leave --tune out.',
    });
  }
  tell('mining synonyms');
  const candidates = await runTask(mining, { corpus, queries: split.mining, most: MOST_CANDIDATES });
  const space = searchSpace(DEFAULT_SETTINGS, candidates);
  const { trials, time, seed } = config.training;
  let done = 0;
  let top = 0;
  const onProgress = ({ score }: Trial) => {
    done += 1;
    top = Math.max(top, score);
    tell(`${done} of ${trials} settings tried, best NDCG@10 ${top.toFixed(3)}`);
  };
  const tried = await runTask(
    training,
    { indexFolder, corpus, queries: split.fitting, space, seed, trials, milliseconds: time, history: [] },
    { onProgress },
  );
  const found = best(tried);
  return {
    settings: settingsOf(found.point, space),
    trials: tried.length,
    before: tried[0]?.score ?? 0,
    after: found.score,
  };
};
