/** That the story is true: the same search, on the old data and on the new, with nothing helped along. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { CorpusBytes } from '../../adapters/lexical/corpus-bytes.ts';
import { evaluation } from '../../adapters/lexical/evaluation-task.ts';
import { mining } from '../../adapters/lexical/mining-task.ts';
import { training } from '../../adapters/lexical/training-task.ts';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import type { Split } from '../../adapters/service/data.ts';
import { runTask } from '../../adapters/threads.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import { type Difference, pairedDifference } from '../../domain/bootstrap.ts';
import { lossAgainst } from '../../domain/gate.ts';
import { mean, meanReading } from '../../domain/intervals.ts';
import type { JudgedQuery } from '../../domain/rank-metrics.ts';
import { best, searchSpace, settingsOf } from '../../domain/settings-search.ts';
import { trainingSplit } from '../../domain/training-split.ts';
import { judgeOffline } from '../../domain/verdict.ts';
import { type Period, tellStory } from '../../infra/story/corpus.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const TRIALS = 30;
const SEED = 7;

function during(period: Period, indexFolder: string) {
  const story = tellStory(period);
  const lines = story.documents.map(({ id, title, text }) => `${JSON.stringify({ _id: id, title, text })}\n`).join('');
  const corpus: CorpusBytes = { sha256: createHash('sha256').update(lines).digest('hex'), bytes: Buffer.from(lines) };
  const queries = (split: Split): JudgedQuery[] =>
    story.queries
      .filter((query) => query.split === split)
      .map(({ id, text }) => ({ id, text, judgements: { [id.slice('q-'.length)]: 1 } }));
  const scores = (split: Split, ...settings: SearchSettings[]): Promise<number[][]> =>
    runTask(evaluation, { indexFolder, corpus, queries: queries(split), settings });

  return {
    live: async (settings: SearchSettings) => meanReading((await scores('live', settings))[0] ?? []),
    compare: async (before: SearchSettings, after: SearchSettings) => {
      const [a = [], b = []] = await scores('test', before, after);
      const difference: Difference = pairedDifference(a, b, { seed: SEED });
      return judgeOffline(mean(a), difference).verdict;
    },
    search: async (from: SearchSettings): Promise<SearchSettings> => {
      const split = trainingSplit(queries('train'));
      const candidates = await runTask(mining, { corpus, queries: split.mining, most: 180 });
      const space = searchSpace(from, candidates);
      const work = { indexFolder, corpus, queries: split.fitting, space, seed: SEED, trials: TRIALS };
      return settingsOf(best(await runTask(training, { ...work, milliseconds: 50_000, history: [] })).point, space);
    },
  };
}

test('a real shift costs the old champion its quality, one search wins it back, and a second finds no more', async () => {
  const indexFolder = temporaryFolder();
  const [before, after] = [during('before', indexFolder), during('after', indexFolder)];

  const champion = await before.search(DEFAULT_SETTINGS);
  expect(await before.compare(DEFAULT_SETTINGS, champion)).toBe('better');

  const [baseline, now] = [await before.live(champion), await after.live(champion)];
  if (baseline === null || now === null) throw new Error('nothing was read');
  const { loss, surely } = lossAgainst('ndcg', now, baseline);
  expect(surely).toBe(true);
  expect(loss).toBeGreaterThan(0.1);

  const challenger = await after.search(champion);
  expect(await after.compare(champion, challenger)).toBe('better');

  const another = await after.search(challenger);
  expect(await after.compare(challenger, another)).not.toBe('better');
}, 120_000);
