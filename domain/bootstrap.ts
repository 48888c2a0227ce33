import { mean } from './intervals.ts';
import { seeded } from './random.ts';

export interface Difference {
  readonly mean: number;
  /** 95 % interval of the mean difference. */
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/**
 * Paired percentile bootstrap (Efron 1979): resamples queries, never the two systems apart, because a hard query is
 * hard for both.
 */
export function pairedDifference(
  before: readonly number[],
  after: readonly number[],
  options: { readonly seed: number; readonly resamples?: number },
): Difference {
  if (before.length !== after.length) throw new RangeError(`${before.length} scores before, ${after.length} after`);
  const differences = after.map((value, i) => value - (before[i] ?? 0));
  const n = differences.length;
  if (n === 0) return { mean: 0, low: 0, high: 0, n };

  const random = seeded(options.seed);
  const resamples = options.resamples ?? 4_000;
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let total = 0;
    for (let i = 0; i < n; i++) total += differences[Math.floor(random() * n)] ?? 0;
    means[r] = total / n;
  }
  means.sort();
  const at = (share: number): number => means[Math.min(resamples - 1, Math.floor(share * resamples))] ?? 0;
  return { mean: mean(differences), low: at(0.025), high: at(0.975), n };
}
