/**
 * From a person's query to the terms that FTS5 is asked for.
 *
 * 1. Terms come from domain/tokens only, which leaves letters and digits; each is quoted on top. No syntax gets through.
 * 2. The number of terms is bounded, the rarest first, so that no query costs more than a few milliseconds.
 */
import type { SearchSettings } from '../../contracts/variant.ts';
import { type Tokenising, tokens } from '../../domain/tokens.ts';

const MOST_TERMS = 16;
/** Documents that a query may touch, counted once per term: about as many microseconds. */
const MOST_POSTINGS = 5_000;
/** FTS5 gives a word in more than half of the documents no weight worth mentioning. */
const WEIGHTLESS_SHARE = 0.5;
/** Longer queries are cut: what comes later hardly changes which words are the rarest. */
const MOST_CHARACTERS = 2_000;

export interface TermStatistics {
  readonly documents: number;
  frequency(token: string): number;
}

export const queryTokens = (query: string, how: Tokenising): string[] => [
  ...new Set(tokens(query.slice(0, MOST_CHARACTERS), how)),
];

/** The query's own words that the index knows, without the too frequent ones, unless no other is left. */
export function mainTerms(
  asked: readonly string[],
  settings: SearchSettings,
  index: TermStatistics,
  mostPostings = MOST_POSTINGS,
): string[] {
  const known = asked.filter((token) => index.frequency(token) > 0);
  const common = Math.min(settings.stopShare, WEIGHTLESS_SHARE) * index.documents;
  const telling = known.filter((token) => index.frequency(token) <= common);
  return affordable(telling.length > 0 ? telling : known, index, mostPostings);
}

/** Synonyms of the query's words, and words that the best documents of the first pass have in common. */
export function extraTerms(
  query: string,
  main: readonly string[],
  feedback: readonly (readonly string[])[],
  settings: SearchSettings,
  how: Tokenising,
  index: TermStatistics,
): string[] {
  const extra = new Set(synonymsOf(queryTokens(query, how), settings.synonyms, how));
  for (const word of shared(feedback, index, settings.expansion.words, new Set(main))) extra.add(word);
  for (const token of main) extra.delete(token);
  return affordable(
    [...extra].filter((token) => index.frequency(token) > 0),
    index,
  );
}

export function synonymsOf(asked: readonly string[], synonyms: Synonyms, how: Tokenising): string[] {
  const table = synonymTable(synonyms, how);
  return asked.flatMap((token) => table.get(token) ?? []);
}

type Synonyms = SearchSettings['synonyms'];
const tables = new WeakMap<
  Synonyms,
  { readonly how: Tokenising; readonly table: ReadonlyMap<string, readonly string[]> }
>();

/** Synonyms by the tokens of this index, so that `errors` finds the synonyms of `error` where words are stemmed. */
function synonymTable(synonyms: Synonyms, how: Tokenising): ReadonlyMap<string, readonly string[]> {
  const known = tables.get(synonyms);
  if (known?.how === how) return known.table;
  const table = new Map<string, string[]>();
  for (const [word, others] of Object.entries(synonyms)) {
    const found = others.flatMap((other) => tokens(other, how));
    for (const token of tokens(word, how)) table.set(token, [...(table.get(token) ?? []), ...found]);
  }
  tables.set(synonyms, { how, table });
  return table;
}

function shared(
  feedback: readonly (readonly string[])[],
  index: TermStatistics,
  most: number,
  known: ReadonlySet<string>,
): string[] {
  const score = new Map<string, number>();
  for (const list of feedback) {
    for (const token of list) {
      if (token === '' || known.has(token)) continue;
      const idf = Math.log((index.documents + 1) / (index.frequency(token) + 1));
      score.set(token, (score.get(token) ?? 0) + idf);
    }
  }
  return [...score]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, most)
    .map(([token]) => token);
}

/** The rarest terms first, as many as a query may cost; the rarest is always asked. */
function affordable(terms: readonly string[], index: TermStatistics, mostPostings = MOST_POSTINGS): string[] {
  const rarestFirst = [...terms].sort((a, b) => index.frequency(a) - index.frequency(b) || (a < b ? -1 : 1));
  let postings = 0;
  return rarestFirst.slice(0, MOST_TERMS).filter((term, place) => {
    postings += index.frequency(term);
    return place === 0 || postings <= mostPostings;
  });
}

export const expressionOf = (terms: readonly string[]): string => terms.map((term) => `"${term}"`).join(' OR ');
