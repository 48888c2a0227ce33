/** A hundred challengers in a row, none of them any better: how often is one of them shipped all the same? */
import type { RatioSums } from '../../contracts/ab.ts';
import { type Random, seeded } from '../../domain/random.ts';
import { alphaOf } from '../../domain/statistics/alpha-spending.ts';
import { halfWidth } from '../../domain/statistics/confidence-sequence.ts';
import { adjustedPair, emptyRatio, merged } from '../../domain/statistics/ratio.ts';
import type { Figure } from '../benchmark.ts';
import { binomial, sumsOfHits } from './draws.ts';
import type { Part } from './part.ts';
import { bounded } from './rate.ts';

const ROWS = 500;
const CHALLENGERS = 100;
const LOOKS = 50;
const EACH = 200;
const ALPHA = 0.05;
const PLANNED = EACH * LOOKS;

type End = 'better' | 'worse' | null;

const oneTest = (random: Random, draw: (random: Random) => number, alpha: number): End => {
  let [champion, challenger]: [RatioSums, RatioSums] = [emptyRatio(), emptyRatio()];
  for (let look = 0; look < LOOKS; look += 1) {
    champion = merged(champion, sumsOfHits(EACH, draw(random)));
    challenger = merged(challenger, sumsOfHits(EACH, draw(random)));
    const pair = adjustedPair(champion, challenger);
    if (!pair || pair.subjects.challenger < EACH) continue;
    const { difference, variance, n } = pair;
    if (Math.abs(difference) > halfWidth({ variance, n, alpha, planned: PLANNED }))
      return difference > 0 ? 'better' : 'worse';
  }
  return null;
};

const figuresOf = (
  name: string,
  alphaAt: (nth: number) => number,
  limit: number | null,
  seed: number,
): readonly Figure[] => {
  const random = seeded(seed);
  const draw = binomial(EACH, 0.2);
  let [shipped, claimed] = [0, 0];
  for (let row = 0; row < ROWS; row += 1) {
    const ends = Array.from({ length: CHALLENGERS }, (_, i) => oneTest(random, draw, alphaAt(i + 1)));
    if (ends.includes('better')) shipped += 1;
    if (ends.some((end) => end !== null)) claimed += 1;
  }
  return [
    ...bounded(`${CHALLENGERS} null challengers, ${name}: any claim, better or worse`, claimed, ROWS, limit),
    ...bounded(`${CHALLENGERS} null challengers, ${name}: any shipped`, shipped, ROWS, limit),
  ];
};

export const challengers: Part = (progress) => {
  progress(`${CHALLENGERS} null challengers in a row`);
  return [
    ...figuresOf('alpha spent', (nth) => alphaOf(nth, ALPHA), ALPHA, 300),
    ...figuresOf('all of alpha for each', () => ALPHA, null, 301),
  ];
};
