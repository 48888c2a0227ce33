/** The batches that both sides train on: what Pawl's trainer takes by itself, and the same as token ids for the peer. */
import { fileURLToPath } from 'node:url';
import type { LoraConfig, TrainingExample, TrainingPlan } from '../../contracts/lora.ts';
import { passagesOf } from '../../infra/story/passages.ts';
import { openTokenizer } from '../../ml/tokenizer/open.ts';
import { batchOf, relevanceOf } from '../../ml/train/batch.ts';
import { orderOf } from '../../ml/train/order.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const PACKAGES = ['@types/node', 'undici', 'commander'];
/** Each is tokenised in the first epoch, which is not measured. */
const EXAMPLES = 128;

export const CONFIG: LoraConfig = { rank: 8, alpha: 16, dropout: 0, targets: 'all-linear' };
export const PLAN: TrainingPlan = {
  ...{ component: 'encoder', side: 'both', loss: 'in-batch', steps: 1_000, batch: 32, learningRate: 1e-4 },
  ...{ warmup: 0, decay: 'none', weightDecay: 0.01, clip: 1, scale: 20, lengths: { query: 64, document: 192 } },
  ...{ seed: 1, evaluateEvery: 0, checkpointEvery: 0, patience: 0, threads: 2, mode: 'fast' },
};
export const STEPS_OF_AN_EPOCH = EXAMPLES / PLAN.batch;

/** Documentation as it is, short and long: a symbol's first sentence asks for its signature and the rest. */
export function examplesOf(modules = MODULES): TrainingExample[] {
  const passages = PACKAGES.flatMap((name) => passagesOf(modules, name));
  const once = new Map(passages.map(({ question, text }) => [question, text]));
  const unlike = new Map([...once].map(([query, positive]) => [positive, { query, positive }]));
  return [...unlike.values()].slice(0, EXAMPLES);
}

export interface PeerStep {
  readonly ids: readonly (readonly number[])[];
  readonly queries: number;
}

/** The batch of each step as the peer is told it: queries, then their positives. */
export function peerSteps(folder: string, examples: readonly TrainingExample[]): (step: number) => PeerStep {
  const tokenizer = openTokenizer(folder);
  const order = orderOf({ examples: examples.length, batch: PLAN.batch, seed: PLAN.seed });
  const relevance = relevanceOf(examples);
  return (step) => {
    const { texts, queries } = batchOf(examples, relevance, order(step), step);
    const ids = texts.map(({ text, side }) => [...tokenizer.encode([text], PLAN.lengths[side]).ids]);
    return { ids, queries: queries.length };
  };
}
