/**
 * One batch: every text of it once, and which row of them stands where.
 *
 * 1. Rows begin with the queries; then come the positives, then the negatives. A text that is there already gets no second row.
 * 2. A candidate is a negative of a query only if no example of the whole data set says that it is relevant to that query.
 */
import type { TrainingExample } from '../../contracts/lora.ts';

export type Side = 'query' | 'document';
export interface BatchText {
  readonly text: string;
  readonly side: Side;
}
export interface Batch {
  readonly step: number;
  /** Positions in the data set. */
  readonly examples: Uint32Array;
  readonly texts: readonly BatchText[];
  /** Row of each example's query. */
  readonly queries: readonly number[];
  /** Rows of each example's positive and negatives. */
  readonly lists: readonly (readonly number[])[];
  /** Grades of the lists. */
  readonly grades: readonly (readonly number[])[];
  /** Whether a row is known to be relevant to an example's query. */
  readonly isRelevant: (example: number, row: number) => boolean;
}

/** Which texts the data set calls relevant to a query. */
export type Relevance = ReadonlyMap<string, ReadonlySet<string>>;

export function relevanceOf(examples: readonly TrainingExample[]): Relevance {
  const relevance = new Map<string, Set<string>>();
  for (const example of examples) {
    const known = relevance.get(example.query) ?? new Set();
    relevance.set(example.query, known.add(example.positive));
    for (const [n, negative] of (example.negatives ?? []).entries()) {
      if ((example.grades?.[n + 1] ?? 0) > 0) known.add(negative);
    }
  }
  return relevance;
}

export function batchOf(
  all: readonly TrainingExample[],
  relevance: Relevance,
  positions: Uint32Array,
  step: number,
): Batch {
  const rows = new Map<string, number>();
  const texts: BatchText[] = [];
  const rowOf = (side: Side, text: string): number => {
    const key = `${side}:${text}`;
    const row = rows.get(key) ?? texts.push({ text, side }) - 1;
    rows.set(key, row);
    return row;
  };
  const examples = [...positions].map((position) => all[position] as TrainingExample);
  const queries = examples.map(({ query }) => rowOf('query', query));
  const positives = examples.map(({ positive }) => rowOf('document', positive));
  const negatives = examples.map(({ negatives: own = [] }) => own.map((text) => rowOf('document', text)));
  return {
    ...{ step, examples: positions, texts, queries },
    lists: positives.map((positive, n) => [positive, ...(negatives[n] ?? [])]),
    grades: examples.map(({ negatives: own = [], grades }) => grades ?? [1, ...own.map(() => 0)]),
    isRelevant: (n, row) => relevance.get(examples[n]?.query ?? '')?.has(texts[row]?.text ?? '') ?? false,
  };
}
