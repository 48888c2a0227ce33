/** A tiny model, a plan and examples, for tests that train. */
import type { LoraConfig, TrainingExample, TrainingPlan } from '../../contracts/lora.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { Trainer, type TrainerOptions } from '../../ml/train/trainer.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { tinyModel } from './tiny-model.ts';

export const tinyConfig: LoraConfig = { rank: 4, alpha: 8, dropout: 0, targets: 'all-linear' };

export const tinyPlan: TrainingPlan = {
  ...{ component: 'encoder', side: 'both', loss: 'in-batch', steps: 12, batch: 6, learningRate: 1e-2 },
  ...{ warmup: 2, decay: 'linear', weightDecay: 0.01, clip: 1, scale: 20, lengths: { query: 16, document: 32 } },
  ...{ seed: 7, evaluateEvery: 0, checkpointEvery: 0, patience: 0, threads: 1, mode: 'fast' },
};

const THINGS = ['cat', 'dog', 'bird', 'fish', 'tree', 'house', 'river', 'page', 'model', 'layer', 'token', 'index'];
const DEEDS = ['open the red file', 'close the old door', 'train a small rank', 'search the green list'];

/** Lists of three, of differing lengths; no two have a text in common. */
export const tinyExamples: readonly TrainingExample[] = THINGS.map((thing, n) => ({
  query: `how to ${DEEDS[n % 4]} for a ${thing}`,
  positive: `${DEEDS[n % 4]}: the ${thing} is ${'large and slow '.repeat(n % 3)}and that is how`,
  negatives: [`a ${thing} by the river`, `no ${thing}, but ${DEEDS[(n + 1) % 4]}`],
  grades: [2, 0, 1],
}));

export type TinyTraining = Partial<Omit<TrainerOptions, 'plan' | 'model'>> & {
  readonly plan?: Partial<TrainingPlan>;
  readonly folder?: string;
};

export const tinyTrainer = ({ plan, folder, ...options }: TinyTraining = {}): Promise<Trainer> =>
  Trainer.open({
    model: openEncoder(folder ?? tinyModel(temporaryFolder())),
    ...{ config: tinyConfig, examples: tinyExamples, totalSteps: tinyPlan.steps },
    ...options,
    plan: { ...tinyPlan, ...plan },
  });
