/** A fine-tune whose activities a test brings itself: by default it goes through to an adapter. */
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { loraWorkflowId } from '../../contracts/ids.ts';
import type { LoraActivities, LoraInput, PreparedData, TrainedLeg, TrainingPlan } from '../../contracts/lora.ts';
import type { LoraEnd } from '../../contracts/lora-messages.ts';
import { queues } from '../../contracts/queues.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';
import { evidenceOf } from './stages.ts';
import type { World } from './world.ts';

export const trainingPlan: TrainingPlan = {
  component: 'encoder',
  side: 'both',
  loss: 'in-batch',
  steps: 30,
  batch: 4,
  learningRate: 5e-4,
  warmup: 0,
  decay: 'linear',
  weightDecay: 0,
  clip: 1,
  scale: 20,
  lengths: { query: 16, document: 32 },
  seed: 7,
  evaluateEvery: 10,
  checkpointEvery: 5,
  patience: 0,
  threads: 1,
  mode: 'fast',
};

const prepared: PreparedData = {
  train: evidenceOf('train'),
  validation: { queries: evidenceOf('validation'), corpus: evidenceOf('some documents') },
  heldOut: { queries: evidenceOf('held out'), corpus: evidenceOf('all documents') },
  examples: 100,
  validationQueries: 20,
  heldOutQueries: 40,
  dropped: {},
};

/** What a leg comes to that goes as planned: losses that fall, and a gain at each evaluation. */
export const legTo = (untilStep: number, rest: Partial<TrainedLeg> = {}): TrainedLeg => ({
  checkpoint: evidenceOf(`step ${untilStep}`),
  step: untilStep,
  losses: [{ step: untilStep, loss: 10 / untilStep, learningRate: 1e-4, gradientNorm: 1 }],
  metric: { step: untilStep, ndcg: untilStep / 100 },
  stepsPerSecond: 5,
  stopped: null,
  because: null,
  ...rest,
});

export const loraTo = (script: Partial<LoraActivities> = {}): LoraActivities => ({
  prepareLoraData: async () => prepared,
  trainLora: async ({ untilStep }) => legTo(untilStep),
  evaluateLora: async ({ trained }) => ({
    before: 0.4,
    after: 0.5,
    low: 0.05,
    high: 0.15,
    queries: 40,
    verdict: 'better',
    evidence: evidenceOf(`evaluation of ${trained.checkpoint.sha256}`),
  }),
  registerLora: async ({ trained }) => {
    const card = evidenceOf(`card of ${trained.checkpoint.sha256}`);
    return { model: card.sha256, card, parity: 3e-7 };
  },
  ...script,
});

export type LoraHandle = WorkflowHandleWithFirstExecutionRunId<(input: LoraInput) => Promise<LoraEnd>>;

let runs = 0;

export const startLora = (
  world: Pick<World, 'client'>,
  service: string,
  { plan, ...changes }: Partial<Omit<LoraInput, 'plan'>> & { readonly plan?: Partial<TrainingPlan> } = {},
): Promise<LoraHandle> => {
  const id = changes.id ?? `lo_${++runs}`;
  return world.client.workflow.start<(input: LoraInput) => Promise<LoraEnd>>('loraFineTune', {
    workflowId: loraWorkflowId(service, id),
    taskQueue: queues.control,
    typedSearchAttributes: attributesOf({ service }),
    args: [
      {
        service,
        id,
        base: evidenceOf('base').sha256,
        config: { rank: 4, alpha: 8, dropout: 0, targets: 'all-linear' },
        plan: { ...trainingPlan, ...plan },
        data: { examples: evidenceOf('examples') },
        requestedBy: { kind: 'person', name: 'ada' },
        reason: 'for the test',
        mostSteps: 60,
        heartbeatMs: 1_000,
        ...changes,
      },
    ],
  });
};
