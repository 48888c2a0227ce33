/**
 * The embedded search: what each of its steps adds on Cranfield, and what a question costs at 10,000 and at 100,000 parts,
 * beside FTS5 as it comes.
 */
import { resolve } from 'node:path';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { DEFAULT_SOURCE } from '../adapters/models/source.ts';
import { readEnvironment } from '../infra/setup/environment.ts';
import type { Benchmark } from './benchmark.ts';
import { cranfieldFolds } from './lora-gain/cranfield.ts';
import { textOf } from './lora-gain/task.ts';
import { madeCorpus } from './retrieval/made-corpus.ts';
import { quality } from './retrieval/quality.ts';
import { timing } from './retrieval/timing.ts';

const CRANFIELD = '../shared/data/cranfield';
const SEED = 1;

export const retrieval: Benchmark = {
  about: 'words, meaning, both and reranked: NDCG@10 on Cranfield, time, memory and recall at 10,000 and 100,000 parts',
  run: async (progress) => {
    const environment = readEnvironment();
    const { folder, model } = await modelCacheOf(environment).import(DEFAULT_SOURCE, { tell: progress });
    const cranfield = resolve(environment.cranfield ?? CRANFIELD);
    const texts = (cranfieldFolds(cranfield, SEED)[0]?.documents ?? []).map(textOf);
    const made = madeCorpus(texts, SEED);
    const figures = [
      ...(await quality({ cranfield, model: { id: model.id, folder }, progress })),
      ...(await timing(made, { chunks: 10_000, targets: { p50: 5 } }, progress)),
      ...(await timing(made, { chunks: 100_000, targets: { hybrid: 1.3 } }, progress)),
    ];
    return { figures, versions: { node: process.versions.node, model: `${model.name} ${model.id.slice(0, 12)}` } };
  },
};
