/** Where a fine-tune stands and what comes next: rules without a clock. */
import type { MetricPoint, TrainingPlan } from '../contracts/lora.ts';

/** The step at which the next leg ends: after each evaluation, and at the last step. */
export function nextStop(step: number, total: number, { evaluateEvery }: Pick<TrainingPlan, 'evaluateEvery'>): number {
  if (evaluateEvery <= 0) return total;
  return Math.min(total, (Math.floor(step / evaluateEvery) + 1) * evaluateEvery);
}

/** The best of the measured points; of equals the earliest, which was cheaper. */
export function bestOf<Point extends MetricPoint>(points: readonly Point[]): Point | null {
  return points.reduce<Point | null>((best, point) => (best !== null && best.ndcg >= point.ndcg ? best : point), null);
}

/** Whether so many evaluations in a row brought nothing better than what there was before them; 0 never stops. */
export function gainsNoMore(metrics: readonly MetricPoint[], patience: number): boolean {
  if (patience <= 0 || metrics.length <= patience) return false;
  const before = bestOf(metrics.slice(0, -patience));
  const since = bestOf(metrics.slice(-patience));
  return before !== null && since !== null && since.ndcg <= before.ndcg;
}

export function secondsLeft(step: number, total: number, stepsPerSecond: number | null): number | null {
  return stepsPerSecond === null || stepsPerSecond <= 0 ? null : (total - step) / stepsPerSecond;
}

/** A worker that is silent for longer than so many steps take, and for longer than these times, counts as lost. */
const SILENT_STEPS = 10;
const SILENCE_MS = 30_000;
/** Before the first steps were measured: a slow machine must get through one. */
const UNMEASURED_SILENCE_MS = 120_000;

/** `given`: at least so long, by whoever started it. */
export function silenceMs(given: number | undefined, stepsPerSecond: number | null): number {
  if (stepsPerSecond === null || stepsPerSecond <= 0) return given ?? UNMEASURED_SILENCE_MS;
  return Math.max(given ?? SILENCE_MS, Math.ceil((1_000 * SILENT_STEPS) / stepsPerSecond));
}

/** What `extend` may ask for; a sentence where it may not. */
export function whyNotExtend(steps: unknown, total: number, most: number): string | null {
  if (typeof steps !== 'number' || !Number.isSafeInteger(steps) || steps <= 0)
    return 'expected a number of steps, such as {"steps": 100}';
  if (total + steps > most)
    return `it may take ${most} steps at most, and ${total} are planned: ${Math.max(0, most - total)} more are possible`;
  return null;
}
