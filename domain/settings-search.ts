/**
 * The search for better settings, as a pure state machine: what was tried so far and the seed decide what comes next.
 *
 * 1. The first trial is the champion itself, so that every later score has something to be better than.
 * 2. A proposal depends on seed and history alone. Whoever resumes with the same history goes on in the same way.
 * 3. No point is proposed twice.
 * 4. The best so far is replaced only by a gain beyond its own noise, query by query; so of settings that are equally
 *    good the ones that are already there stay, and the luck of a few training queries changes nothing.
 */
import type { SearchSettings } from '../contracts/variant.ts';
import { mean } from './intervals.ts';
import { pick, type Random, seeded } from './random.ts';
import type { SynonymCandidate } from './synonym-mining.ts';

/** Settings with the synonyms by number: small enough to travel in every heartbeat. */
export interface SearchPoint {
  readonly title: number;
  readonly body: number;
  readonly stemming: boolean;
  readonly splitIdentifiers: boolean;
  readonly stopShare: number;
  readonly expansion: { readonly documents: number; readonly words: number };
  /** Numbers of the synonym sets that are on, ascending. */
  readonly sets: readonly number[];
}

export interface Trial {
  readonly point: SearchPoint;
  readonly score: number;
  /** It became the best so far. */
  readonly kept: boolean;
}

/** Words with their synonyms that are tried together. */
export type SynonymSet = Readonly<Record<string, readonly string[]>>;

export interface SearchSpace {
  readonly champion: SearchSettings;
  /** Set 0 holds the champion's own synonyms. */
  readonly sets: readonly SynonymSet[];
}

const TITLE = [0.5, 1, 1.5, 2, 3, 4, 6, 8, 12] as const;
const STOP_SHARE = [0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 1] as const;
const EXPANSION_DOCUMENTS = [2, 3, 5, 8] as const;
const EXPANSION_WORDS = [0, 0, 3, 5, 8, 12] as const;

const WORDS_A_SET = 12;
const RESTART_SHARE = 0.15;
const LEAST_GAIN = 1e-4;
/** After so many proposals that were all tried before, the neighbourhood counts as known. */
const PATIENCE = 200;

export function searchSpace(champion: SearchSettings, candidates: readonly SynonymCandidate[]): SearchSpace {
  const sets: SynonymSet[] = [champion.synonyms];
  for (const source of ['queries', 'corpus'] as const) {
    const own = candidates.filter((candidate) => candidate.source === source);
    for (let at = 0; at < own.length; at += WORDS_A_SET) {
      sets.push(Object.fromEntries(own.slice(at, at + WORDS_A_SET).map(({ word, synonyms }) => [word, synonyms])));
    }
  }
  return { champion, sets };
}

export const championPoint = ({ champion }: SearchSpace): SearchPoint => ({
  title: champion.weights.title,
  body: champion.weights.body,
  stemming: champion.stemming,
  splitIdentifiers: champion.splitIdentifiers,
  stopShare: champion.stopShare,
  expansion: champion.expansion,
  sets: Object.keys(champion.synonyms).length > 0 ? [0] : [],
});

export function settingsOf(point: SearchPoint, space: SearchSpace): SearchSettings {
  // A map, because `constructor` is a word that people search for.
  const synonyms = new Map<string, Set<string>>();
  for (const set of point.sets) {
    for (const [word, others] of Object.entries(space.sets[set] ?? {})) {
      synonyms.set(word, new Set([...(synonyms.get(word) ?? []), ...others]));
    }
  }
  const sorted = [...synonyms]
    .map(([word, others]): [string, string[]] => [word, [...others].sort()])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    weights: { title: point.title, body: point.body },
    stemming: point.stemming,
    splitIdentifiers: point.splitIdentifiers,
    stopShare: point.stopShare,
    synonyms: Object.fromEntries(sorted),
    expansion: point.expansion,
  };
}

/** The next point to try; null when nothing new is found any more. */
export function propose(space: SearchSpace, seed: number, history: readonly Trial[]): SearchPoint | null {
  if (history.length === 0) return championPoint(space);
  const random = seeded(seed + 7919 * history.length);
  const tried = new Set(history.map(({ point }) => nameOf(point)));
  const from = best(history).point;
  const first = SWEEP[history.length - 1]?.(from, space, random);
  if (first !== undefined && !tried.has(nameOf(first))) return first;
  for (let attempt = 0; attempt < PATIENCE; attempt++) {
    const point = random() < RESTART_SHARE ? anywhere(space, random) : near(from, space, random);
    if (!tried.has(nameOf(point))) return point;
  }
  return null;
}

export function best(history: readonly Trial[]): Trial {
  const found = history.findLast(({ kept }) => kept);
  if (found === undefined) throw new RangeError('A search without a trial has no best.');
  return found;
}

/** Whether scores are better than the best so far, by more than the standard error of the paired difference. */
export function beats(scores: readonly number[], soFar: readonly number[] | null): boolean {
  if (soFar === null) return true;
  const gains = scores.map((score, at) => score - (soFar[at] ?? 0));
  const n = gains.length;
  const gain = mean(gains);
  const variance = gains.reduce((total, one) => total + (one - gain) ** 2, 0) / Math.max(1, n - 1);
  return gain > Math.max(LEAST_GAIN, Math.sqrt(variance / n));
}

const nameOf = (point: SearchPoint): string =>
  JSON.stringify([
    point.title,
    point.body,
    point.stemming,
    point.splitIdentifiers,
    point.stopShare,
    point.expansion.words === 0 ? 0 : [point.expansion.documents, point.expansion.words],
    point.sets,
  ]);

type Move = (point: SearchPoint, space: SearchSpace, random: Random) => SearchPoint;

const stepped = (values: readonly [number, ...number[]], value: number, random: Random): number => {
  const at = values.findIndex((known) => known >= value);
  const next = (at < 0 ? values.length - 1 : at) + (random() < 0.5 ? -1 : 1);
  return values[Math.min(values.length - 1, Math.max(0, next))] ?? value;
};

const MOVES: readonly [Move, ...Move[]] = [
  (point, _, random) => ({ ...point, title: stepped(TITLE, point.title, random) }),
  (point, _, random) => ({ ...point, stopShare: stepped(STOP_SHARE, point.stopShare, random) }),
  (point) => ({ ...point, stemming: !point.stemming }),
  (point) => ({ ...point, splitIdentifiers: !point.splitIdentifiers }),
  (point, _, random) => ({
    ...point,
    expansion: { documents: pick(random, EXPANSION_DOCUMENTS), words: pick(random, EXPANSION_WORDS) },
  }),
  toggleSet,
  toggleSet,
  toggleSet,
];

/** What changes most is tried first, one thing at a time. */
const SWEEP: readonly Move[] = [
  (point) => ({ ...point, splitIdentifiers: !point.splitIdentifiers }),
  (point) => ({ ...point, stemming: !point.stemming }),
  (point) => ({ ...point, title: 3 }),
  (point) => ({ ...point, stopShare: 0.15 }),
  (point) => ({ ...point, expansion: { documents: 3, words: 5 } }),
];

function toggleSet(point: SearchPoint, space: SearchSpace, random: Random): SearchPoint {
  const set = Math.floor(random() * space.sets.length);
  const on = point.sets.includes(set);
  const sets = on ? point.sets.filter((other) => other !== set) : [...point.sets, set].sort((a, b) => a - b);
  return { ...point, sets };
}

/** One move most of the time; sometimes two or three at once, to get across a dip. */
function near(point: SearchPoint, space: SearchSpace, random: Random): SearchPoint {
  let next = point;
  do next = pick(random, MOVES)(next, space, random);
  while (random() < 0.3);
  return next;
}

function anywhere(space: SearchSpace, random: Random): SearchPoint {
  const density = random();
  return {
    title: pick(random, TITLE),
    body: 1,
    stemming: random() < 0.5,
    splitIdentifiers: random() < 0.5,
    stopShare: pick(random, STOP_SHARE),
    expansion: { documents: pick(random, EXPANSION_DOCUMENTS), words: pick(random, EXPANSION_WORDS) },
    sets: space.sets.flatMap((_, set) => (random() < density ? [set] : [])),
  };
}
