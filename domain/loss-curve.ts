import type { LossPoint } from '../contracts/lora.ts';

/** Enough for a picture; a history of Temporal holds it once for each leg. */
const MOST_POINTS = 100;

/**
 * Thins a curve out: of a long one only every second, fourth, eighth … step stays, and always its first and its last point.
 */
export function thinned(points: readonly LossPoint[], most = MOST_POINTS): LossPoint[] {
  let kept = [...points];
  for (let stride = 2; kept.length > most; stride *= 2) {
    kept = kept.filter(({ step }, at) => at === 0 || at === kept.length - 1 || step % stride === 0);
  }
  return kept;
}

/** The curve until `from`, and what was measured after it: a leg that starts from an older checkpoint goes over steps again. */
export function continued(before: readonly LossPoint[], after: readonly LossPoint[]): LossPoint[] {
  const from = after[0]?.step ?? Number.POSITIVE_INFINITY;
  return thinned([...before.filter(({ step }) => step < from), ...after]);
}
