/** What an adapter is taught, and how. */
import type { LoraConfig, TrainingExample, TrainingPlan } from '../../contracts/lora.ts';
import type { JudgedQuery } from '../../domain/rank-metrics.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import type { Adapter } from '../../ml/lora/adapter.ts';
import { Trainer } from '../../ml/train/trainer.ts';
import { LENGTHS } from './encoder.ts';
import { type GainTask, textOf } from './task.ts';

export const CONFIG: LoraConfig = { rank: 8, alpha: 16, dropout: 0, targets: 'all-linear' };
export const PLAN: TrainingPlan = {
  ...{ component: 'encoder', side: 'both', loss: 'in-batch', steps: 60, batch: 32, learningRate: 5e-4 },
  ...{ warmup: 6, decay: 'linear', weightDecay: 0.01, clip: 1, scale: 20, lengths: LENGTHS, seed: 1 },
  ...{ evaluateEvery: 0, checkpointEvery: 0, patience: 0, threads: 2, mode: 'fast' },
};

/** `look` is called after every `every` steps, and says how good the adapter is; the best is kept. */
export interface Looking {
  readonly every: number;
  readonly look: (adapter: Adapter) => Promise<number>;
}

export async function learn(
  folder: string,
  examples: readonly TrainingExample[],
  plan: TrainingPlan,
  progress: (line: string) => void,
  looking: Looking | null = null,
): Promise<Adapter> {
  const trainer = await Trainer.open({
    ...{ model: openEncoder(folder), config: CONFIG, plan, examples, totalSteps: plan.steps },
  });
  try {
    if (looking) trainer.evaluated(await looking.look(trainer.adapter()));
    for (let step = 1; step <= plan.steps; step++) {
      const { loss } = await trainer.step();
      if (step % 10 === 0) progress(`step ${step} of ${plan.steps}, loss ${loss.toFixed(3)}`);
      if (looking && step % looking.every === 0) trainer.evaluated(await looking.look(trainer.adapter()));
    }
    return looking ? trainer.best() : trainer.adapter();
  } finally {
    await trainer.close();
  }
}

/** One example for each relevant document of each query, with the query's hard negatives where there are some. */
export function pairsOf(
  task: GainTask,
  queries: readonly JudgedQuery[],
  negativesOf: (query: JudgedQuery) => readonly string[] = () => [],
): TrainingExample[] {
  const texts = new Map(task.documents.map((document) => [document.id, textOf(document)]));
  return queries.flatMap((query) => {
    const negatives = negativesOf(query).flatMap((id) => texts.get(id) ?? []);
    return Object.entries(query.judgements)
      .filter(([id, grade]) => grade > 0 && texts.has(id))
      .map(([id]) => ({
        query: query.text,
        positive: texts.get(id) ?? '',
        ...(negatives.length > 0 && { negatives }),
      }));
  });
}
