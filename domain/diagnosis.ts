/** Why a window of judged traffic scores lower than the baseline: which queries lost, and which words they share. */
import { meanReading } from './intervals.ts';
import { words } from './tokens.ts';

export interface ScoredQuery {
  readonly text: string;
  readonly ndcg: number;
  /** The query's words that no document of the index holds. */
  readonly unknown: readonly string[];
}

export interface TermLoss {
  readonly term: string;
  readonly queries: number;
  /** What the queries with this word took from the mean of the window, against the baseline. */
  readonly loss: number;
  readonly unknown: boolean;
}

export interface DiagnosisFindings {
  readonly queries: number;
  readonly lost: number;
  readonly score: number | null;
  readonly baseline: number | null;
  readonly worst: ReadonlyArray<{ readonly text: string; readonly ndcg: number; readonly unknown: readonly string[] }>;
  readonly terms: readonly TermLoss[];
  /** Words that the index has never seen, by the number of queries that ask with them. */
  readonly unknown: ReadonlyArray<{ readonly term: string; readonly queries: number }>;
}

const WORST = 50;
const TERMS = 25;
const LEAST_QUERIES = 3;

/** A query lost when it scores below the baseline's mean. Without a baseline nothing can be said to have lost. */
export function findLosses(queries: readonly ScoredQuery[], baseline: number | null): DiagnosisFindings {
  const lossOf = ({ ndcg }: ScoredQuery): number => (baseline === null ? 0 : baseline - ndcg);
  const losers = queries.filter((query) => lossOf(query) > 0);
  return {
    queries: queries.length,
    lost: losers.length,
    score: meanReading(queries.map(({ ndcg }) => ndcg))?.value ?? null,
    baseline,
    worst: [...losers].sort((a, b) => a.ndcg - b.ndcg || (a.text < b.text ? -1 : 1)).slice(0, WORST),
    terms: termLosses(queries, lossOf),
    unknown: unknownTerms(queries),
  };
}

function termLosses(queries: readonly ScoredQuery[], lossOf: (query: ScoredQuery) => number): TermLoss[] {
  const sums = new Map<string, { queries: number; loss: number; unknown: boolean }>();
  for (const query of queries) {
    for (const term of new Set(words(query.text))) {
      const seen = sums.get(term) ?? { queries: 0, loss: 0, unknown: query.unknown.includes(term) };
      sums.set(term, { ...seen, queries: seen.queries + 1, loss: seen.loss + lossOf(query) });
    }
  }
  return [...sums]
    .map(([term, sum]) => ({ term, ...sum, loss: sum.loss / queries.length }))
    .filter((term) => term.term.length > 3 && term.queries >= LEAST_QUERIES && term.loss > 0)
    .sort((a, b) => b.loss - a.loss || (a.term < b.term ? -1 : 1))
    .slice(0, TERMS);
}

function unknownTerms(queries: readonly ScoredQuery[]): Array<{ term: string; queries: number }> {
  const counts = new Map<string, number>();
  for (const { unknown } of queries) for (const term of unknown) counts.set(term, (counts.get(term) ?? 0) + 1);
  return [...counts]
    .map(([term, count]) => ({ term, queries: count }))
    .sort((a, b) => b.queries - a.queries || (a.term < b.term ? -1 : 1))
    .slice(0, TERMS);
}
