/** Closed-form 95 % intervals for what is read of a live service. */
import type { Reading } from '../contracts/vitals.ts';

const Z = 1.959964;

export const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** Mean of independent values; null with fewer than two, because one alone says nothing about its own noise. */
export function meanReading(values: readonly number[]): Reading | null {
  const n = values.length;
  if (n < 2) return null;
  const value = mean(values);
  const variance = values.reduce((total, x) => total + (x - value) ** 2, 0) / (n - 1);
  const margin = Z * Math.sqrt(variance / n);
  return { value, n, low: value - margin, high: value + margin };
}

/** A share of `n` by Wilson's score interval, which stays honest at 0 and at 1. */
export function shareReading(hits: number, n: number): Reading | null {
  if (n === 0) return null;
  const p = hits / n;
  const scale = 1 / (1 + Z ** 2 / n);
  const centre = scale * (p + Z ** 2 / (2 * n));
  const margin = scale * Z * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  return { value: p, n, low: Math.max(0, centre - margin), high: Math.min(1, centre + margin) };
}

/** A percentile, with the order statistics that enclose it 95 times in 100 whatever the distribution. */
export function percentileReading(values: readonly number[], share: number): Reading | null {
  const n = values.length;
  if (n === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (place: number): number => sorted[Math.min(n - 1, Math.max(0, place))] ?? 0;
  const margin = Z * Math.sqrt(n * share * (1 - share));
  return {
    value: at(Math.ceil(n * share) - 1),
    n,
    low: at(Math.floor(n * share - margin) - 1),
    high: at(Math.ceil(n * share + margin)),
  };
}
