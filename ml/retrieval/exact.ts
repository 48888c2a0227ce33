/**
 * Exact search: the documents whose vectors have the largest inner product with a query's.
 *
 * 1. The same vectors give the same rows and the same scores: every product is summed in one order, whatever else is
 *    searched in the same call.
 * 2. Of documents with equal scores the one that stands first in the corpus comes first.
 */

/** Rows of equal length, one after another. */
export interface Vectors {
  readonly data: Float32Array;
  readonly dimensions: number;
}

export interface Neighbours {
  /** Per query: rows of documents, best first. */
  readonly rows: readonly Int32Array[];
  readonly scores: readonly Float32Array[];
}

/** About 100 KB of documents of 384 dimensions: they stay in the cache while all queries pass over them. */
const BLOCK = 64;

export const countOf = ({ data, dimensions }: Vectors): number => data.length / dimensions;

export function nearest(queries: Vectors, documents: Vectors, depth: number): Neighbours {
  check('queries', queries, documents.dimensions);
  check('documents', documents, queries.dimensions);
  const there = countOf(documents);
  const best = Array.from({ length: countOf(queries) }, () => new Best(Math.min(depth, there)));
  for (let from = 0; from < there; from += BLOCK) {
    const to = Math.min(from + BLOCK, there);
    for (const [query, top] of best.entries()) {
      for (let row = from; row < to; row++) top.offer(row, inner(queries, query, documents, row));
    }
  }
  return { rows: best.map(({ rows }) => rows), scores: best.map(({ scores }) => scores) };
}

/** Four sums side by side, in float64, so that the processor need not wait for one addition to begin the next. */
export function inner(a: Vectors, rowOfA: number, b: Vectors, rowOfB: number): number {
  const { data: x, dimensions } = a;
  const y = b.data;
  const atX = rowOfA * dimensions;
  const atY = rowOfB * dimensions;
  let [one, two, three, four] = [0, 0, 0, 0];
  let at = 0;
  for (; at + 3 < dimensions; at += 4) {
    one += (x[atX + at] as number) * (y[atY + at] as number);
    two += (x[atX + at + 1] as number) * (y[atY + at + 1] as number);
    three += (x[atX + at + 2] as number) * (y[atY + at + 2] as number);
    four += (x[atX + at + 3] as number) * (y[atY + at + 3] as number);
  }
  for (; at < dimensions; at++) one += (x[atX + at] as number) * (y[atY + at] as number);
  return one + two + (three + four);
}

/** The best rows so far, by insertion: most rows fall at the first comparison. Rows are offered in ascending order. */
class Best {
  readonly rows: Int32Array;
  readonly scores: Float32Array;
  #filled = 0;

  constructor(depth: number) {
    this.rows = new Int32Array(depth);
    this.scores = new Float32Array(depth);
  }

  offer(row: number, exact: number): void {
    // Compared as it is kept: two scores that are equal in float32 are a tie.
    const score = Math.fround(exact);
    const full = this.#filled === this.rows.length;
    if (full && !(score > (this.scores[this.#filled - 1] ?? Number.POSITIVE_INFINITY))) return;
    let place = full ? this.#filled - 1 : this.#filled++;
    for (; place > 0 && score > (this.scores[place - 1] as number); place--) {
      this.scores[place] = this.scores[place - 1] as number;
      this.rows[place] = this.rows[place - 1] as number;
    }
    this.scores[place] = score;
    this.rows[place] = row;
  }
}

function check(what: string, { data, dimensions }: Vectors, expected: number): void {
  if (!(dimensions > 0) || dimensions !== expected || data.length % dimensions !== 0)
    throw new RangeError(`${what}: ${data.length} numbers in rows of ${dimensions}, expected rows of ${expected}`);
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new RangeError(`${what}: row ${Math.floor(bad / dimensions)} holds ${data[bad]}`);
}
