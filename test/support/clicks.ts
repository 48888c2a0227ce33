/** Users who are simulated: they look at places, and take what attracts them, by numbers that the test knows. */
import type { ReceivedAnswer } from '../../contracts/feedback.ts';
import type { Random } from '../../domain/random.ts';

export interface PlantedUsers {
  /** By place, the first at 0. */
  readonly examination: readonly number[];
  readonly attraction: (query: string, document: string) => number;
}

export const browsed = (
  { examination, attraction }: PlantedUsers,
  { query, ranked, ...over }: Pick<ReceivedAnswer, 'query' | 'ranked'> & Partial<ReceivedAnswer>,
  random: Random,
): ReceivedAnswer => {
  const shown = ranked.map((document, place) => ({ document, position: place + 1 }));
  const takes = ({ document, position }: { document: string; position: number }): boolean =>
    random() < (examination[position - 1] ?? 0) * attraction(query, document);
  return {
    ...{ answer: `${query} ${random()}`, at: 1, tenant: 'default', service: 'docs', variant: 'v1', experiment: null },
    ...{ query, ranked, teams: null, shown, rating: null },
    clicks: shown.filter(takes).map((one) => ({ ...one, dwellMs: null })),
    ...over,
  };
};

export const shuffled = <T>(items: readonly T[], random: Random): T[] =>
  items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
