/** A search by words over any index that can rank: what a variant's settings make of a query. */
import type { SearchSettings } from '../../contracts/variant.ts';
import type { Tokenising } from '../../domain/tokens.ts';
import { extraTerms, mainTerms, queryTokens, type TermStatistics } from './query.ts';
import type { Ranker, Row } from './ranker.ts';

export interface Searchable extends TermStatistics, Ranker {
  readonly how: Tokenising;
  /** Words that tell this row from the others. */
  wordsOf(rowid: number): readonly string[];
}

/** Words beside the query's own (synonyms, expansion) count this much. */
export const EXTRA_WEIGHT = 0.4;
/** So deep both lists go before they are merged. */
const MERGE_DEPTH = 100;

/** The best `k` rows, best first. A query without a word that is known gives none. `mostPostings` bounds what it costs. */
export function bestRows(
  index: Searchable,
  settings: SearchSettings,
  query: string,
  k: number,
  mostPostings?: number,
): Row[] {
  const { how } = index;
  const { weights, expansion, synonyms } = settings;
  const terms = mainTerms(queryTokens(query, how), settings, index, mostPostings);
  const enriched = expansion.words > 0 || Object.keys(synonyms).length > 0;
  const first = index.rank(terms, weights, enriched ? Math.max(k, MERGE_DEPTH) : k);
  const models = expansion.words > 0 ? first.slice(0, expansion.documents) : [];
  const feedback = models.map(({ rowid }) => index.wordsOf(rowid));
  const extra = enriched ? extraTerms(query, terms, feedback, settings, how, index) : [];
  const best = extra.length === 0 ? first : merge(first, index.rank(extra, weights, Math.max(k, MERGE_DEPTH)));
  return best.slice(0, k);
}

function merge(main: readonly Row[], extra: readonly Row[]): Row[] {
  const scores = new Map(main.map(({ rowid, score }) => [rowid, score]));
  for (const { rowid, score } of extra) scores.set(rowid, (scores.get(rowid) ?? 0) + EXTRA_WEIGHT * score);
  return [...scores].map(([rowid, score]) => ({ rowid, score })).sort((a, b) => b.score - a.score || a.rowid - b.rowid);
}
