/** Rows of one INSERT: a statement takes 65,535 values at most. */
const BATCH = 2_000;

export function* batches<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += BATCH) yield rows.slice(at, at + BATCH);
}
