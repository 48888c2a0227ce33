/** How large each step of the optimiser is. */
import type { TrainingPlan } from '../../contracts/lora.ts';

type Schedule = Pick<TrainingPlan, 'learningRate' | 'warmup' | 'decay'>;

/** What is left of the learning rate after `done` (0 to 1) of the decay. */
const LEFT: Readonly<Record<TrainingPlan['decay'], (done: number) => number>> = {
  linear: (done) => 1 - done,
  cosine: (done) => (1 + Math.cos(Math.PI * done)) / 2,
  none: () => 1,
};

/** Of the step with this number, from 0. It rises over `warmup` steps to its full height, and is 0 one step after the last. */
export function learningRateAt({ learningRate, warmup, decay }: Schedule, step: number, totalSteps: number): number {
  if (step < warmup) return (learningRate * (step + 1)) / (warmup + 1);
  const done = (step - warmup) / Math.max(1, totalSteps - warmup);
  return learningRate * LEFT[decay](Math.min(1, done));
}
