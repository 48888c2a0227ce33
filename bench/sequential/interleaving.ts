/**
 * Two rankings, one a little better, and users who click as users do: how many answers until it is known, interleaved and
 * as an A/B of the rank of the first click?
 */
import { normalDraw } from '../../domain/beta.ts';
import { teamDraft, winnerOf } from '../../domain/interleaving.ts';
import { median } from '../../domain/percentile.ts';
import { type Random, seeded } from '../../domain/random.ts';
import { halfWidth } from '../../domain/statistics/confidence-sequence.ts';
import { type Credits, interleavingTest, noCredits, withCredit } from '../../domain/statistics/interleaving-test.ts';
import { adjustedPair, emptyRatio, withSubjects } from '../../domain/statistics/ratio.ts';
import { atLeast, explaining } from '../benchmark.ts';
import type { Part } from './part.ts';
import { bounded, rate } from './rate.ts';

const TESTS = 100;
const ALPHA = 0.05;
const EQUAL_TESTS = 500;
const LONG = 1_000;
const DOCUMENTS = 15;
const K = 10;
const EACH = 50;
const MOST = 100_000;
const PLANNED = 10_000;
/** Both rankings stray from what is relevant in the same way, as models do of which one was made of the other: b not as far. */
const STRAYED = { a: 1, b: 0.9 } as const;
const NAMES = Array.from({ length: DOCUMENTS }, (_, i) => `d${i}`);

interface Query {
  /** 0, 1 or 2, by document. */
  readonly relevance: readonly number[];
  readonly stray: readonly number[];
}
const queryOf = (random: Random): Query => ({
  relevance: NAMES.map(() => (random() < 0.75 ? 0 : random() < 0.7 ? 1 : 2)),
  stray: NAMES.map(() => normalDraw(random)),
});
const ranked = ({ relevance, stray }: Query, strayed: number): string[] => {
  const scores = relevance.map((value, document) => value + strayed * (stray[document] ?? 0));
  return scores
    .map((_, document) => document)
    .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
    .slice(0, K)
    .map((document) => NAMES[document] ?? '');
};

/** From the top down, less likely with each place; who found something seldom goes on. */
const clicksOn = (ranking: readonly string[], { relevance }: Query, random: Random): string[] => {
  const clicks: string[] = [];
  for (const [place, name] of ranking.entries()) {
    if (random() > 0.85 ** place) break;
    const value = relevance[Number(name.slice(1))] ?? 0;
    if (random() >= ([0.05, 0.4, 0.8][value] ?? 0)) continue;
    clicks.push(name);
    if (random() < 0.5 * value) break;
  }
  return clicks;
};

type Answered = { readonly answers: number; readonly preferred: 'a' | 'b' | null };

/** One answer more: the two are interleaved, and a user clicks. */
const credited = (
  credits: Credits,
  query: Query,
  rankings: { readonly a: readonly string[]; readonly b: readonly string[] },
  random: Random,
): Credits => {
  const { ranked: shown, teams } = teamDraft(rankings, { k: K, seed: Math.floor(random() * 2 ** 32) });
  const clicks = clicksOn(shown, query, random).map((document) => ({
    document,
    position: shown.indexOf(document) + 1,
    dwellMs: null,
  }));
  return withCredit(credits, 'b', winnerOf({ teams, clicks }));
};

const interleaved = (random: Random): Answered => {
  let credits = noCredits;
  for (let answers = 1; answers <= MOST; answers += 1) {
    const query = queryOf(random);
    credits = credited(credits, query, { a: ranked(query, STRAYED.a), b: ranked(query, STRAYED.b) }, random);
    if (answers % EACH !== 0) continue;
    const { verdict } = interleavingTest(credits, ALPHA);
    if (verdict !== 'undecided') return { answers, preferred: verdict === 'preferred' ? 'b' : 'a' };
  }
  return { answers: MOST, preferred: null };
};

const compared = (random: Random): Answered => {
  let [a, b] = [emptyRatio(), emptyRatio()];
  const come = (strayed: number) =>
    Array.from({ length: EACH / 2 }, () => {
      const query = queryOf(random);
      const ranking = ranked(query, strayed);
      const [first] = clicksOn(ranking, query, random);
      return { y: first === undefined ? 0 : 1 / (1 + ranking.indexOf(first)), m: 1, x: 0, w: 0 };
    });
  for (let answers = EACH; answers <= MOST; answers += EACH) {
    a = withSubjects(a, come(STRAYED.a));
    b = withSubjects(b, come(STRAYED.b));
    const pair = adjustedPair(a, b);
    if (!pair || pair.n < 200) continue;
    const { difference, variance, n } = pair;
    if (Math.abs(difference) > halfWidth({ variance, n, alpha: ALPHA, planned: PLANNED }))
      return { answers, preferred: difference > 0 ? 'b' : 'a' };
  }
  return { answers: MOST, preferred: null };
};

/** Two that stray as far, each in its own way: whom users prefer is chance. */
const equal = (random: Random): Answered => {
  let credits = noCredits;
  for (let answers = 1; answers <= LONG; answers += 1) {
    const query = queryOf(random);
    const other = { ...query, stray: NAMES.map(() => normalDraw(random)) };
    credits = credited(credits, query, { a: ranked(query, 1), b: ranked(other, 1) }, random);
    if (answers % EACH === 0 && interleavingTest(credits, ALPHA).verdict !== 'undecided')
      return { answers, preferred: 'b' };
  }
  return { answers: LONG, preferred: null };
};

export const interleaving: Part = (progress) => {
  progress('interleaving against A/B');
  const random = seeded(400);
  const all = (one: (random: Random) => Answered, times = TESTS): Answered[] =>
    Array.from({ length: times }, () => one(random));
  const [mixed, apart, even] = [all(interleaved), all(compared), all(equal, EQUAL_TESTS)];
  const answers = (found: readonly Answered[]): number => median(found.map((one) => one.answers));
  const right = (found: readonly Answered[]): number => found.filter(({ preferred }) => preferred === 'b').length;
  return [
    explaining('interleaving: answers until the better ranking is known, median', answers(mixed), '', TESTS),
    rate('interleaving: the better one was preferred', right(mixed), TESTS),
    explaining('A/B of the first click: answers until it is known, median', answers(apart), '', TESTS),
    rate('A/B of the first click: the better one was preferred', right(apart), TESTS),
    atLeast(1, explaining('gain of interleaving in answers', answers(apart) / answers(mixed), '×', TESTS)),
    ...bounded(
      `interleaving of equal rankings, ${LONG / EACH} looks: one is preferred`,
      right(even),
      EQUAL_TESTS,
      ALPHA,
    ),
  ];
};
