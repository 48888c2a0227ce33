/**
 * One leg of a training, in a thread of its own.
 *
 * 1. Every checkpoint lies in a folder of its own, which whoever hears of it removes.
 * 2. It looks at `stop` after every step and every micro-batch; told to stop, it gives up the step that it is in, and ends
 *    with a checkpoint of the one that it has done last. Each of them is a tick.
 * 3. What comes out depends on the checkpoint that it began from and on the order alone, not on how often it was begun.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LoraConfig, LossPoint, MetricPoint, TrainingPlan } from '../../contracts/lora.ts';
import { mean } from '../../domain/intervals.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import type { Adapter } from '../../ml/lora/adapter.ts';
import { NotANumber } from '../../ml/train/not-a-number.ts';
import { Trainer } from '../../ml/train/trainer.ts';
import { defineTask } from '../threads.ts';
import { parseExamples } from './lines.ts';
import { type Judged, Ranking } from './ranking.ts';

export interface LegOrder {
  readonly model: string;
  readonly config: LoraConfig;
  readonly plan: TrainingPlan;
  /** JSON lines of TrainingExample. */
  readonly examples: string;
  readonly totalSteps: number;
  readonly untilStep: number;
  /** Holds the checkpoints to begin from; empty: it begins from nothing. */
  readonly from: string;
  /** Where checkpoints are written. */
  readonly to: string;
  /** Not 0: stop after this step. */
  readonly stop: Int32Array<SharedArrayBuffer>;
  readonly validation: Judged;
}
export type LegNews =
  | { readonly kind: 'step'; readonly point: LossPoint; readonly stepsPerSecond: number }
  | { readonly kind: 'checkpoint'; readonly folder: string; readonly file: string; readonly step: number };
export interface LegDone {
  readonly step: number;
  readonly metric: MetricPoint | null;
  readonly stopped: null | 'not a number' | 'asked';
  readonly because: string | null;
}

/** A step that is not brought to its end: nothing has changed. */
class GivenUp extends Error {}

export const trainingLeg = defineTask(
  import.meta.url,
  async (order: LegOrder, report: (news: LegNews) => void, tick: () => void): Promise<LegDone> => {
    const { model: folder, config, plan, totalSteps, untilStep, from, to } = order;
    const stopping = (): boolean => Atomics.load(order.stop, 0) !== 0;
    const onPart = (): void => {
      tick();
      if (stopping()) throw new GivenUp();
    };
    const trainer = await Trainer.open({
      ...{ model: openEncoder(folder), config, plan, totalSteps, onPart },
      examples: parseExamples({ name: 'the training examples', text: order.examples }),
      ...(readdirSync(from).length > 0 && { from }),
    });
    let saved = trainer.steps;
    const save = (): void => {
      const own = join(to, String(trainer.steps));
      mkdirSync(own, { recursive: true });
      report({ kind: 'checkpoint', folder: own, file: trainer.save(own), step: trainer.steps });
      saved = trainer.steps;
    };
    tick();
    let wrong: NotANumber | null = null;
    const began = performance.now();
    const before = trainer.steps;
    while (trainer.steps < untilStep && !stopping()) {
      const point = await trainer.step().catch((error: unknown) => {
        if (error instanceof NotANumber || error instanceof GivenUp) return error;
        throw error;
      });
      if (point instanceof GivenUp) break;
      if (point instanceof NotANumber) {
        wrong = point;
        break;
      }
      const stepsPerSecond = (1_000 * (trainer.steps - before)) / (performance.now() - began);
      report({ kind: 'step', point, stepsPerSecond });
      if (plan.checkpointEvery > 0 && trainer.steps % plan.checkpointEvery === 0) save();
    }
    if (saved < trainer.steps || trainer.steps === 0) save();
    const step = trainer.steps;
    const adapter = trainer.adapter();
    await trainer.close();
    if (wrong) return { step, metric: null, stopped: 'not a number', because: `${wrong.message} ${wrong.hint ?? ''}` };
    if (step < untilStep) return { step, metric: null, stopped: 'asked', because: null };
    return { step, metric: await measured(order, adapter, step, tick), stopped: null, because: null };
  },
);

async function measured(
  order: LegOrder,
  adapter: Adapter,
  step: number,
  tick: () => void,
): Promise<MetricPoint | null> {
  if (order.validation.queries.length === 0) return null;
  const ranking = new Ranking(order.model, order.plan, adapter, tick);
  try {
    return { step, ndcg: mean(await ranking.scores(order.validation, true)) };
  } finally {
    await ranking.close();
  }
}
