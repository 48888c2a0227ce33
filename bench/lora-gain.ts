/**
 * What LoRA gains on questions that it never saw: NDCG@10 before and after, query by query, with a paired bootstrap
 * interval, on the documentation of the installed packages (split by package) and on Cranfield (five folds).
 */
import { resolve } from 'node:path';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { DEFAULT_SOURCE } from '../adapters/models/source.ts';
import { pairedDifference } from '../domain/bootstrap.ts';
import { mean } from '../domain/intervals.ts';
import { readEnvironment } from '../infra/setup/environment.ts';
import { atLeast, type Benchmark, explaining, type Figure } from './benchmark.ts';
import { cranfieldFolds } from './lora-gain/cranfield.ts';
import { cranfieldBase, cranfieldGain } from './lora-gain/cranfield-gain.ts';
import { documentationTask } from './lora-gain/documentation.ts';
import { GainEncoder } from './lora-gain/encoder.ts';
import { learn, PLAN, pairsOf } from './lora-gain/learning.ts';
import type { GainTask } from './lora-gain/task.ts';

const SEEDS = [1, 2, 3];
const TARGET = 0.04;
const RESAMPLES_SEED = 1;
const CRANFIELD = '../shared/data/cranfield';

interface Setting {
  readonly folder: string;
  readonly encoder: GainEncoder;
  readonly progress: (line: string) => void;
}

export const loraGain: Benchmark = {
  about: 'NDCG@10 before and after LoRA on questions held out, with paired bootstrap intervals',
  run: async (progress) => {
    const environment = readEnvironment();
    const { folder, model } = await modelCacheOf(environment).import(DEFAULT_SOURCE, { tell: progress });
    const encoder = await GainEncoder.open(folder);
    const setting = { folder, encoder, progress };
    try {
      const figures = [
        ...(await documentation(setting, documentationTask())),
        ...(await cranfield(setting, resolve(environment.cranfield ?? CRANFIELD))),
      ];
      return { figures, versions: { node: process.versions.node, model: `${model.name} ${model.id.slice(0, 12)}` } };
    } finally {
      await encoder.close();
    }
  },
};

async function documentation({ folder, encoder, progress }: Setting, task: GainTask): Promise<Figure[]> {
  const evaluate = async (): Promise<number[]> => encoder.scores(task, await encoder.documents(task));
  progress(`documentation: ${task.documents.length} documents, before training`);
  await encoder.use(null);
  const before = await evaluate();
  const figures = [
    explaining('documentation, documents', task.documents.length, '', 1),
    explaining('documentation, pairs to learn from', task.train.length, '', 1),
    explaining('documentation, before', mean(before), 'NDCG@10', before.length),
  ];
  for (const seed of SEEDS) {
    const plan = { ...PLAN, seed };
    const told = (line: string) => progress(`documentation, seed ${seed}: ${line}`);
    await encoder.use(await learn(folder, pairsOf(task, task.train), plan, told));
    told('evaluating');
    const after = await evaluate();
    const gain = gained(`documentation, seed ${seed}`, before, after);
    figures.push(...gain.map((figure) => (figure.name.endsWith('low') ? atLeast(TARGET, figure) : figure)));
  }
  return figures;
}

async function cranfield({ folder, encoder, progress }: Setting, from: string): Promise<Figure[]> {
  progress('Cranfield: encoding');
  const base = await cranfieldBase(cranfieldFolds(from, SEEDS[0] ?? 1), encoder);
  const figures: Figure[] = [];
  for (const seed of SEEDS) {
    const name = `Cranfield, seed ${seed}`;
    const told = (line: string) => progress(`${name}: ${line}`);
    const setting = { folder, encoder, seed, progress: told };
    const reached = await cranfieldGain(cranfieldFolds(from, seed), base, setting);
    const { before, adapted, byWords, unlearned, fused, chosen } = reached;
    const lora = gained(`${name}, LoRA`, before, adapted);
    figures.push(
      explaining(`${name}, before`, mean(before), 'NDCG@10', before.length),
      // No significant loss: an interval that lies below 0 as a whole would be one.
      ...lora.map((figure) => (figure.name.endsWith('high') ? atLeast(0, figure) : figure)),
      explaining(`${name}, BM25`, mean(byWords), 'NDCG@10', byWords.length),
      explaining(`${name}, both by reciprocal rank`, mean(unlearned), 'NDCG@10', unlearned.length),
      ...gained(`${name}, learned fusion`, before, fused),
      ...gained(`${name}, learned fusion over reciprocal rank`, unlearned, fused),
      ...Object.entries(chosen).map(([what, count]) => explaining(`${name}, folds with ${what}`, count, '', 5)),
    );
  }
  return figures;
}

function gained(name: string, before: readonly number[], after: readonly number[]): Figure[] {
  const { mean: gain, low, high, n } = pairedDifference(before, after, { seed: RESAMPLES_SEED });
  return [
    explaining(`${name}, after`, mean(after), 'NDCG@10', n),
    explaining(`${name}, gain`, gain, 'NDCG@10', n),
    explaining(`${name}, gain, low`, low, 'NDCG@10', n),
    explaining(`${name}, gain, high`, high, 'NDCG@10', n),
  ];
}
