import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { evaluation } from '../../adapters/lexical/evaluation-task.ts';
import { mining } from '../../adapters/lexical/mining-task.ts';
import { training } from '../../adapters/lexical/training-task.ts';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import { readCorpus, readJudgedQueries } from '../../adapters/service/data.ts';
import { runTask } from '../../adapters/threads.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import { mean } from '../../domain/intervals.ts';
import { best, searchSpace, settingsOf } from '../../domain/settings-search.ts';
import { trainingSplit } from '../../domain/training-split.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CRANFIELD = resolve(ROOT, readEnvironment().cranfield ?? '../shared/data/cranfield');
const missing = existsSync(CRANFIELD)
  ? ''
  : ` (skipped: no ${CRANFIELD}; set PAWL_CRANFIELD to the collection's folder)`;

test.skipIf(missing !== '')(
  `the search finds better settings for a public collection that it never saw${missing}`,
  async () => {
    const config = {
      folder: CRANFIELD,
      data: {
        corpus: 'corpus.jsonl',
        queries: 'queries.jsonl',
        judgements: { train: 'qrels-train.tsv', test: 'qrels-test.tsv' },
      },
    } as unknown as ServiceConfig;
    const indexFolder = temporaryFolder();
    const { sha256, bytes, documents } = await readCorpus(config);
    expect(documents).toHaveLength(1_400);
    const corpus = { sha256, bytes: Buffer.from(bytes) };
    const { mining: miningQueries, fitting } = trainingSplit(await readJudgedQueries(config, 'train'));

    const candidates = await runTask(mining, { corpus, queries: miningQueries, most: 120 });
    const space = searchSpace(DEFAULT_SETTINGS, candidates);
    const work = {
      indexFolder,
      corpus,
      queries: fitting,
      space,
      seed: 3,
      trials: 25,
      milliseconds: 50_000,
      history: [],
    };
    const found = settingsOf(best(await runTask(training, work)).point, space);

    const queries = await readJudgedQueries(config, 'test');
    const scores = await runTask(evaluation, { indexFolder, corpus, queries, settings: [DEFAULT_SETTINGS, found] });
    const [before = 0, after = 0] = scores.map(mean);
    expect(before).toBeGreaterThan(0.2);
    expect(after).toBeGreaterThan(before);
  },
);
