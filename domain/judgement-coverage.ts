/** How much of what is asked and served somebody has judged. */
import type { Judgements } from './rank-metrics.ts';
import { normalised } from './tokens.ts';

const TOP = 10;
const MOST_NAMED = 20;

export interface Coverage {
  readonly judged: {
    readonly queries: number;
    readonly judgements: number;
    /** Grade → how many. */
    readonly grades: Readonly<Record<string, number>>;
    /** Queries of which nothing relevant is known: they measure nothing. */
    readonly withoutRelevant: number;
  };
  readonly served: {
    readonly requests: number;
    /** Of these, with a query that is judged. */
    readonly judged: number;
    /** Of the ten best that these got, so many documents were judged for the query: 1 is all of them. */
    readonly topTen: number | null;
  };
  /** Queries that nobody judged, the most frequent first. */
  readonly unjudged: ReadonlyArray<{ readonly query: string; readonly times: number }>;
}

export const coverageOf = (
  judged: ReadonlyArray<{ readonly text: string; readonly judgements: Judgements }>,
  served: ReadonlyArray<{ readonly query: string; readonly ranked: readonly string[] }>,
): Coverage => {
  const known = new Map(judged.map(({ text, judgements }) => [normalised(text), judgements]));
  const grades: Record<string, number> = {};
  for (const { judgements } of judged) {
    for (const grade of Object.values(judgements)) grades[grade] = (grades[grade] ?? 0) + 1;
  }
  const rows = served.map(({ query, ranked }) => ({
    query,
    top: ranked.slice(0, TOP),
    of: known.get(normalised(query)),
  }));
  const hit = rows.flatMap(({ top, of }) => (of === undefined ? [] : [{ top, of }]));
  const documents = hit.reduce((total, { top }) => total + top.length, 0);
  const covered = hit.reduce((total, { top, of }) => total + top.filter((id) => Object.hasOwn(of, id)).length, 0);
  const missing = Map.groupBy(
    rows.filter(({ of }) => of === undefined),
    ({ query }) => normalised(query),
  );
  return {
    judged: {
      queries: judged.length,
      judgements: Object.values(grades).reduce((total, count) => total + count, 0),
      grades,
      withoutRelevant: judged.filter(({ judgements }) => !Object.values(judgements).some((grade) => grade > 0)).length,
    },
    served: { requests: rows.length, judged: hit.length, topTen: documents === 0 ? null : covered / documents },
    unjudged: [...missing.values()]
      .map((same) => ({ query: same[0]?.query ?? '', times: same.length }))
      .sort((a, b) => b.times - a.times || (a.query < b.query ? -1 : 1))
      .slice(0, MOST_NAMED),
  };
};
