/**
 * 1. A step depends on checkpoint, data and plan alone, so a leg that was begun again after a kill ends with the very numbers
 *    that an undisturbed one ends with.
 * 2. A heartbeat names only checkpoints that are in the store; what an attempt after this one goes on from is what it names.
 * 3. Told to stop, it ends with a checkpoint: as its answer where the workflow asked, and for whoever takes over where the
 *    worker itself is to go.
 */
import { CancelledFailure, Context } from '@temporalio/activity';
import { z } from 'zod';
import { runTask } from '../adapters/threads.ts';
import { trainingLeg } from '../adapters/training/leg-task.ts';
import type { LegProgress, LoraActivities, TrainedLeg, TrainLeg } from '../contracts/lora.ts';
import { restored } from './checkpoints.ts';
import { Course } from './leg-course.ts';
import { inScratch } from './scratch.ts';
import { judgedOf, nameOf, type TrainingDeps } from './training-inputs.ts';
import { cpuClock, usageOf } from './usage.ts';

const ref = z.object({ uri: z.string(), sha256: z.string() });
const cursor: z.ZodType<LegProgress> = z.object({
  of: z.string(),
  checkpoints: z.array(z.object({ checkpoint: ref, step: z.number() })),
  losses: z.array(z.object({ step: z.number(), loss: z.number(), learningRate: z.number(), gradientNorm: z.number() })),
  step: z.number(),
  stepsPerSecond: z.number(),
});

export const createTrainLegActivities = ({
  artifacts,
  models,
  services,
}: TrainingDeps): Pick<LoraActivities, 'trainLora'> => ({
  // Safe to repeat: an attempt goes on from the checkpoint that the last heartbeat names.
  trainLora: (leg: TrainLeg): Promise<TrainedLeg> =>
    inScratch(async (folder) => {
      const context = Context.current();
      const spent = cpuClock();
      const { input, data, untilStep, totalSteps } = leg;
      const { config, plan } = input;
      const left = progressOf(context.info.heartbeatDetails, nameOf([input.id, data.train, leg.from]));
      const [from, to] = [await folder('from'), await folder('to')];
      const begin = await restored(artifacts, [...left.checkpoints, ...leg.from], from);
      const course = new Course(artifacts, left, begin);
      const beat = (): void => context.heartbeat(course.progress);
      beat();
      const { folder: model } = await models.open(input.base);
      const examples = (await artifacts.get(data.train)).toString('utf8');
      const validation = await judgedOf(artifacts, data.validation);

      const stop = new Int32Array(new SharedArrayBuffer(4));
      const halt = (): void => void Atomics.store(stop, 0, 1);
      const told = context.cancelled.catch((why: unknown) => {
        halt();
        return why;
      });
      beat();
      const order = { ...{ model, config, plan, examples, totalSteps, untilStep, from, to, stop, validation } };
      const done = await runTask(trainingLeg, order, {
        onTick: beat,
        // What cannot be written ends the leg; `written` says why.
        onProgress: (news) => void course.hear(news).then(beat, halt),
      });
      await course.written;
      beat();
      if (done.stopped === 'asked' && !isAsked(await told)) throw await told;
      const { losses, stepsPerSecond } = course.progress;
      const { metric, stopped, because } = done;
      const usage = await usageOf({ services }, input.service, spent());
      return { ...course.last, losses, stepsPerSecond, metric, stopped, because, usage };
    }),
});

const progressOf = (details: unknown, of: string): LegProgress => {
  const found = cursor.safeParse(details);
  return found.success && found.data.of === of
    ? found.data
    : { of, checkpoints: [], losses: [], step: 0, stepsPerSecond: 0 };
};

/** The workflow asked for it, and takes the checkpoint for an answer; anything else that stops a leg takes the worker away. */
const isAsked = (why: unknown): boolean => why instanceof CancelledFailure && why.message === 'CANCELLED';
