import type { TermStatistics } from './query.ts';

/** So many characteristic words of a document lead to others like it. */
const CHARACTERISTIC = 20;

/** The words that tell a document from the others, by tf·idf; words of one document alone lead nowhere. */
export function characteristic(found: readonly string[], { documents, frequency }: TermStatistics): string[] {
  const counts = new Map<string, number>();
  for (const token of found) counts.set(token, (counts.get(token) ?? 0) + 1);
  const weight = ([token, count]: [string, number]): number =>
    (count / (count + 1)) * Math.log(documents / frequency(token));
  return [...counts]
    .filter(([token]) => token.length > 2 && frequency(token) > 1)
    .map((entry) => ({ token: entry[0], weight: weight(entry) }))
    .sort((a, b) => b.weight - a.weight || (a.token < b.token ? -1 : 1))
    .slice(0, CHARACTERISTIC)
    .map(({ token }) => token);
}
