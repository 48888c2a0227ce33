/** The difference of two shares with its interval (Newcombe 1998, method 10), which stays honest where a share is 0 or 1. */
import { normalQuantile } from './special.ts';

export interface Counted {
  readonly hits: number;
  readonly n: number;
}

/** Wilson's score interval. */
const wilson = ({ hits, n }: Counted, z: number): { readonly low: number; readonly high: number } => {
  const p = hits / n;
  const centre = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const margin = (z / (1 + z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2));
  return { low: hits === 0 ? 0 : centre - margin, high: hits === n ? 1 : centre + margin };
};

/** Of the shares a − b. */
export const shareDifference = (
  a: Counted,
  b: Counted,
  confidence: number,
): { readonly difference: number; readonly low: number; readonly high: number } => {
  const z = normalQuantile((1 + confidence) / 2);
  const [p, q] = [a.hits / a.n, b.hits / b.n];
  const [ofA, ofB] = [wilson(a, z), wilson(b, z)];
  return {
    difference: p - q,
    low: p - q - Math.hypot(p - ofA.low, ofB.high - q),
    high: p - q + Math.hypot(ofA.high - p, q - ofB.low),
  };
};
