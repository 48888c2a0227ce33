/**
 * Texts of about the same length together, so that a batch holds little padding, and no batch larger than its budget.
 * Which texts share a batch follows from the lengths alone.
 */

/** Positions of the lengths, batch by batch, the longest first; a batch's count times its longest stays within `budget`. */
export function batchesOf(lengths: ArrayLike<number>, budget: number): number[][] {
  const order = Array.from({ length: lengths.length }, (_, at) => at).sort(
    (a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b,
  );
  const batches: number[][] = [];
  let room = 0;
  for (const at of order) {
    const batch = batches.at(-1);
    if (batch && batch.length < room) batch.push(at);
    else {
      batches.push([at]);
      // The first of a batch is its longest. One that is over the budget by itself stands alone.
      room = Math.floor(budget / Math.max(1, lengths[at] as number));
    }
  }
  return batches;
}

/** Rows that were computed in the order of the batches, back in the order of the texts. */
export function inOrder(
  batches: readonly (readonly number[])[],
  rows: readonly Float32Array[],
  width: number,
): Float32Array {
  const count = batches.reduce((sum, { length }) => sum + length, 0);
  const all = new Float32Array(count * width);
  for (const [n, batch] of batches.entries()) {
    const from = rows[n] as Float32Array;
    for (const [row, at] of batch.entries()) all.set(from.subarray(row * width, (row + 1) * width), at * width);
  }
  return all;
}
