/**
 * What it costs to be allowed to look: power and duration beside a test that is looked at once, at the size that finds
 * the effect it was planned for four times in five. The truth may be half of that, or twice as much. A claim of the wrong
 * direction is no find.
 */
import type { RatioSums } from '../../contracts/ab.ts';
import { median } from '../../domain/percentile.ts';
import { type Random, seeded } from '../../domain/random.ts';
import { halfWidth } from '../../domain/statistics/confidence-sequence.ts';
import { boundaries } from '../../domain/statistics/group-sequential.ts';
import { subjectsNeeded } from '../../domain/statistics/power.ts';
import { adjustedPair, emptyRatio, merged, type Pair } from '../../domain/statistics/ratio.ts';
import { normalQuantile } from '../../domain/statistics/special.ts';
import { explaining, type Figure } from '../benchmark.ts';
import { binomial, sumsOfHits } from './draws.ts';
import type { Part } from './part.ts';
import { rate } from './rate.ts';

const TESTS = 1_000;
const ALPHA = 0.05;
const SHARE = 0.2;
/** Relative to the share: what is planned for, and what is true. */
const PLANNED = 0.1;
const EFFECTS = [0.05, 0.1, 0.2] as const;
/** Until the size of the fixed test; it may run for as long again. */
const LOOKS = 100;
const MOST = 2 * LOOKS;
const GROUPS = 10;

const Z = normalQuantile(1 - ALPHA / 2);
const bounds = boundaries({
  looks: Array.from({ length: GROUPS }, (_, i) => (i + 1) / GROUPS),
  alpha: ALPHA,
  spending: 'obrien-fleming',
});

/** At which look each found the effect; null where it did not. */
interface Found {
  readonly fixed: boolean;
  readonly sequence: number | null;
  readonly group: number | null;
}

const oneTest = (
  random: Random,
  each: number,
  draws: readonly [(random: Random) => number, (random: Random) => number],
): Found => {
  let [champion, challenger]: [RatioSums, RatioSums] = [emptyRatio(), emptyRatio()];
  let fixed = false;
  let [sequence, group]: [number | null, number | null] = [null, null];
  const planned = 2 * each * LOOKS;
  for (let look = 1; look <= MOST; look += 1) {
    champion = merged(champion, sumsOfHits(each, draws[0](random)));
    challenger = merged(challenger, sumsOfHits(each, draws[1](random)));
    const pair = adjustedPair(champion, challenger);
    if (!pair) continue;
    const { difference, variance, n } = pair;
    if (sequence === null && difference > halfWidth({ variance, n, alpha: ALPHA, planned })) sequence = look;
    if (group === null && difference > boundAt(look) * Math.sqrt(variance)) group = look;
    if (look === LOOKS) fixed = isFound(pair);
    if (sequence !== null && look >= LOOKS) break;
  }
  return { fixed, sequence, group };
};
const boundAt = (look: number): number =>
  (look % (LOOKS / GROUPS) === 0 ? bounds[look / (LOOKS / GROUPS) - 1] : null) ?? Number.POSITIVE_INFINITY;
const isFound = ({ difference, variance }: Pair): boolean => difference > Z * Math.sqrt(variance);

const sd = Math.sqrt(SHARE * (1 - SHARE));
const needed = subjectsNeeded({ relative: PLANNED, mean: SHARE, sd, alpha: ALPHA, power: 0.8, ratio: 1 }) ?? 0;

const figuresOf = (relative: number, seed: number): readonly Figure[] => {
  const each = Math.ceil(needed / 2 / LOOKS);
  const draws = [binomial(each, SHARE), binomial(each, SHARE * (1 + relative))] as const;
  const random = seeded(seed);
  const all = Array.from({ length: TESTS }, () => oneTest(random, each, draws));
  const count = (is: (one: Found) => boolean): number => all.filter(is).length;
  const duration = (look: (one: Found) => number | null, most: number): number =>
    all.reduce((total, one) => total + (look(one) ?? most), 0) / TESTS / LOOKS;
  const looks = all.map(({ sequence }) => sequence).filter((look) => look !== null);
  const name = (what: string): string => `effect +${100 * relative} %, planned +${100 * PLANNED} %: ${what}`;
  return [
    rate(
      name('power of the fixed test'),
      count(({ fixed }) => fixed),
      TESTS,
    ),
    rate(
      name('power of the sequence by then'),
      count(({ sequence }) => sequence !== null && sequence <= LOOKS),
      TESTS,
    ),
    rate(
      name('power of the sequence by twice as many'),
      count(({ sequence }) => sequence !== null),
      TESTS,
    ),
    explaining(
      name('mean duration of the sequence, fixed test = 1'),
      duration(({ sequence }) => sequence, MOST),
      '×',
      TESTS,
    ),
    explaining(name('median duration where it found it'), median(looks) / LOOKS, '×', looks.length),
    rate(
      name('power of the group sequential test'),
      count(({ group }) => group !== null),
      TESTS,
    ),
    explaining(
      name('mean duration of the group sequential test'),
      duration(({ group }) => group, LOOKS),
      '×',
      TESTS,
    ),
  ];
};

export const power: Part = (progress) => {
  progress('power and duration');
  return [
    explaining(`subjects of the fixed test, +${100 * PLANNED} % of a share of ${100 * SHARE} %`, needed, '', 1),
    ...EFFECTS.flatMap((relative, i) => figuresOf(relative, 100 + i)),
  ];
};
