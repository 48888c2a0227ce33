/** Arithmetic on a gradient: all parameters' slopes in one array after one another. */

/** Not a number, or infinite, as soon as one slope is. */
export function normOf(gradient: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) squares += (gradient[i] as number) ** 2;
  return Math.sqrt(squares);
}

/** What clipping leaves of a gradient with this norm; a `clip` of 0 leaves all of it. */
export const clipping = (norm: number, clip: number): number => (clip > 0 ? Math.min(1, clip / (norm + 1e-6)) : 1);

export function addTo(sum: Float32Array, more: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (more[i] as number);
}
