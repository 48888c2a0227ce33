/**
 * Position-based click model: a document is taken when its place is looked at and it attracts for this query,
 * P(click) = examination(place) · attraction(query, document), the two apart from each other. Richardson, Dominowska, Ragno
 * (WWW 2007) for the model; Chuklin, Markov, de Rijke, Click Models for Web Search (2015), 4.1, for its EM.
 *
 * 1. Only products can be seen, so examination of the first place is 1 by definition, and attraction is that of somebody
 *    who looks.
 * 2. Examination of a place is learned from documents that stood there and elsewhere for the same query. A place that no
 *    such documents tie to the first one, or with too few clicks, is not known: what was shown there teaches nothing.
 * 3. It works on counts, so it takes as long as there are different triples of query, document and place, and counts of
 *    several windows are merged before it.
 * 4. What is not known of the places widens the interval of every attraction.
 */
import { betaQuantile } from './beta.ts';
import { type ClickCell, type ClickCounts, keyOf } from './click-counts.ts';
import { type KnownPlace, tiedPlaces } from './click-places.ts';

/** Attraction is drawn towards the mean over everything shown, by as much as so many looks weigh. */
const SMOOTHING = 2;
const ITERATIONS = 200;
const SETTLED = 1e-5;
const LEAST_EXAMINED = 1e-3;
const MOST_ATTRACTION = 1 - 1e-9;
/** So few clicks say nothing of anything, however they are spread. */
export const LEAST_CLICKS = 100;

export interface Attraction {
  readonly query: string;
  readonly document: string;
  /** From 0 to 1: how often somebody who looks at it takes it; `low`–`high` is the 95 % interval. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** The beta distribution of it, as hits and misses, where the places are what they are taken for. */
  readonly hits: number;
  readonly misses: number;
  /** Relative standard error that the places bring in; over documents it goes one way. */
  readonly error: number;
}

export interface ClickModel {
  /** By place, the first at 0; null where it is not known. The first is 1. */
  readonly places: ReadonlyArray<KnownPlace | null>;
  readonly attractions: readonly Attraction[];
  /** Of whatever was shown at a known place, weighed by how often it was looked at. */
  readonly meanAttraction: number;
  readonly clicks: number;
  /** Why the clicks are too few to go by; null where they are enough. */
  readonly tooFew: string | null;
}

export const fitClickModel = (counts: ClickCounts): ClickModel => {
  const ties = tiedPlaces(counts);
  const cells = counts.filter(({ position, shown }) => ties.has(position) && shown > 0);
  const examination = estimate(cells, ties);
  const places = Array.from({ length: examination.length }, (_, place): KnownPlace | null => {
    const tie = ties.get(place + 1);
    return tie === undefined ? null : { examination: examination[place] ?? 0, error: tie.error };
  });
  const mean = meanOf(cells, examination);
  const clicks = sum(counts, (cell) => cell.clicks);
  return {
    places,
    attractions: [...grouped(cells).values()].map((of) => attractionOf(of, places, mean)),
    meanAttraction: mean,
    clicks,
    tooFew: whyTooFew(clicks, ties.size),
  };
};

const whyTooFew = (clicks: number, known: number): string | null => {
  if (clicks < LEAST_CLICKS) return `there are ${clicks} clicks, and ${LEAST_CLICKS} are needed at least`;
  if (known > 1) return null;
  return 'no place can be told from the first one: too few documents stood at both for the same query, or were taken there';
};

/** Hits and misses of the distribution that holds the errors of the places too. */
export const widened = ({ hits, misses, error }: Pick<Attraction, 'hits' | 'misses' | 'error'>): [number, number] => {
  const value = hits / (hits + misses);
  const spread = value * (1 - value);
  const strength = spread / (spread / (hits + misses) + (value * error) ** 2);
  return [value * strength, (1 - value) * strength];
};

const attractionOf = (cells: readonly ClickCell[], places: ClickModel['places'], mean: number): Attraction => {
  const { query = '', document = '' } = cells[0] ?? {};
  const clicks = sum(cells, (cell) => cell.clicks);
  const looksAt = ({ shown, position }: ClickCell): number => shown * (places[position - 1]?.examination ?? 0);
  const looks = Math.max(clicks, sum(cells, looksAt));
  const [hits, misses] = [clicks + SMOOTHING * mean, looks - clicks + SMOOTHING * (1 - mean)];
  const value = hits / (hits + misses);
  // Errors of the places go along with each other, so they are added as they are.
  const error = sum(cells, (cell) => looksAt(cell) * (places[cell.position - 1]?.error ?? 0)) / Math.max(looks, 1e-9);
  const wide = widened({ hits, misses, error });
  const bounds = { low: betaQuantile(0.025, ...wide), high: betaQuantile(0.975, ...wide) };
  return { query, document, value, ...bounds, hits, misses, error };
};

interface Pair {
  attraction: number;
  readonly cells: readonly ClickCell[];
}

/** Nothing is smoothed here: documents that are drawn towards a mean would make deep places look unseen. */
const estimate = (cells: readonly ClickCell[], start: ReadonlyMap<number, KnownPlace>): number[] => {
  const deepest = Math.max(...start.keys());
  const examination = Array.from({ length: deepest }, (_, place) => start.get(place + 1)?.examination ?? 0);
  const pairs = [...grouped(cells).values()].map((of): Pair => {
    const looks = sum(of, ({ shown, position }) => shown * (examination[position - 1] ?? 0));
    return { attraction: Math.min(MOST_ATTRACTION, sum(of, ({ clicks }) => clicks) / looks), cells: of };
  });
  const looks = new Float64Array(deepest + 1);
  const shown = new Float64Array(deepest + 1);
  for (const { position, shown: n } of cells) shown[position] = (shown[position] ?? 0) + n;
  for (let step = 0, moved = 1; step < ITERATIONS && moved > SETTLED; step += 1) {
    looks.fill(0);
    moved = 0;
    for (const pair of pairs) {
      let [attracted, total] = [0, 0];
      for (const { position, shown: n, clicks } of pair.cells) {
        const [seen, attracts] = [examination[position - 1] ?? 0, pair.attraction];
        const passed = (n - clicks) / (1 - seen * attracts);
        attracted += clicks + passed * attracts * (1 - seen);
        total += n;
        looks[position] = (looks[position] ?? 0) + clicks + passed * seen * (1 - attracts);
      }
      pair.attraction = Math.min(MOST_ATTRACTION, attracted / total);
    }
    for (let position = 2; position <= deepest; position += 1) {
      const n = shown[position] ?? 0;
      if (n === 0) continue;
      const next = Math.max(LEAST_EXAMINED, (looks[position] ?? 0) / n);
      moved = Math.max(moved, Math.abs(next / (examination[position - 1] ?? 1) - 1));
      examination[position - 1] = next;
    }
  }
  return examination;
};

const meanOf = (cells: readonly ClickCell[], examination: readonly number[]): number => {
  const looks = sum(cells, ({ shown, position }) => shown * (examination[position - 1] ?? 0));
  return looks === 0 ? 0.5 : Math.min(0.99, Math.max(0.001, sum(cells, ({ clicks }) => clicks) / looks));
};

const grouped = (cells: readonly ClickCell[]): Map<string, ClickCell[]> => Map.groupBy(cells, keyOf);
const sum = (cells: readonly ClickCell[], of: (cell: ClickCell) => number): number =>
  cells.reduce((total, cell) => total + of(cell), 0);
