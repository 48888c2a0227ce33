/** A/A tests: whatever is found is false. Each is looked at as often as the most impatient would. */
import type { RatioSums } from '../../contracts/ab.ts';
import { type Random, seeded } from '../../domain/random.ts';
import { halfWidth } from '../../domain/statistics/confidence-sequence.ts';
import { boundaries } from '../../domain/statistics/group-sequential.ts';
import { proportionsP, tau2For } from '../../domain/statistics/msprt.ts';
import { adjustedPair, emptyRatio, type Pair, stratified, withSubjects } from '../../domain/statistics/ratio.ts';
import { normalQuantile } from '../../domain/statistics/special.ts';
import type { Figure } from '../benchmark.ts';
import { clicksPerAnswer, conversion, heavyTailed, type SubjectDraw, withoutSkewness } from './draws.ts';
import type { Part } from './part.ts';
import { bounded, rate } from './rate.ts';

const TESTS = 2_000;
const LOOKS = 200;
const ALPHA = 0.05;
/** As `fewest` of the configuration has it. */
const FEWEST = 100;
const PLANNED = 10_000;

interface Phase {
  readonly draw: SubjectDraw;
  /** Subjects that come between two looks. */
  readonly each: { readonly champion: number; readonly challenger: number };
}
interface Kind {
  readonly name: string;
  /** Each of them takes as many of the looks. */
  readonly phases: readonly Phase[];
  readonly isProportion?: true;
  /** Evaluations deal evenly; what is not dealt so is no promise, but worth knowing. */
  readonly isUneven?: true;
}
const dealt = (draw: SubjectDraw, champion: number, challenger: number): Phase => ({
  draw,
  each: { champion, challenger },
});
const KINDS: readonly Kind[] = [
  { name: 'proportions', phases: [dealt(conversion(0.1), 50, 50)], isProportion: true },
  { name: 'heavy-tailed means', phases: [dealt(heavyTailed, 50, 50)] },
  { name: 'means without a third moment', phases: [dealt(withoutSkewness, 50, 50)] },
  { name: 'ratios, adjusted by what was before', phases: [dealt(clicksPerAnswer, 50, 50)] },
  {
    name: 'a ramp while the level doubles',
    phases: [
      dealt(conversion(0.1), 5, 5),
      dealt(conversion(0.12), 10, 10),
      dealt(conversion(0.15), 25, 25),
      dealt(conversion(0.2), 50, 50),
    ],
  },
  {
    name: 'the same, the rest all champion',
    phases: [
      dealt(conversion(0.1), 95, 5),
      dealt(conversion(0.12), 90, 10),
      dealt(conversion(0.15), 75, 25),
      dealt(conversion(0.2), 50, 50),
    ],
    isUneven: true,
  },
  { name: 'heavy-tailed means, 10 % challenger', phases: [dealt(heavyTailed, 90, 10)], isUneven: true },
];

interface Look {
  readonly pair: Pair;
  readonly champion: RatioSums;
  readonly challenger: RatioSums;
  readonly nth: number;
}
/** Whether a look claims that there is a difference. */
type Claim = (look: Look) => boolean;

const Z = normalQuantile(1 - ALPHA / 2);
const sequence: Claim = ({ pair: { difference, variance, n } }) =>
  Math.abs(difference) > halfWidth({ variance, n, alpha: ALPHA, planned: PLANNED });
/** By the information that was planned for each look: an uneven phase brings less of it. */
const groupOf = ({ phases }: Kind): Claim => {
  const news = phases.flatMap(({ each: { champion, challenger } }): number[] =>
    Array(LOOKS / phases.length).fill((champion * challenger) / (champion + challenger)),
  );
  const all = news.reduce((total, one) => total + one, 0);
  let come = 0;
  const looks = news.map((one) => {
    come += one;
    return come / all;
  });
  const bounds = boundaries({ looks, alpha: ALPHA, spending: 'obrien-fleming' });
  return ({ pair: { difference, variance }, nth }) =>
    Math.abs(difference) > (bounds[nth] ?? Number.POSITIVE_INFINITY) * Math.sqrt(variance);
};
const naive: Claim = ({ pair: { difference, variance } }) => Math.abs(difference) > Z * Math.sqrt(variance);
const mixture: Claim = ({ pair: { variance, n }, champion, challenger }) => {
  const tau2 = tau2For({ variance, n, alpha: ALPHA, planned: PLANNED });
  const hits = ({ n: all, sums }: RatioSums) => ({ hits: sums[0], n: all });
  return proportionsP(hits(champion), hits(challenger), tau2) < ALPHA;
};

/** Whether each claim was made at any look. */
const everClaimed = ({ phases }: Kind, claims: readonly Claim[], random: Random): boolean[] => {
  const claimed = claims.map(() => false);
  const before: Pair[] = [];
  let nth = 0;
  for (const { draw, each } of phases) {
    const come = (n: number) => Array.from({ length: n }, () => draw(random));
    let [champion, challenger] = [emptyRatio(), emptyRatio()];
    for (let look = 0; look < LOOKS / phases.length; look += 1, nth += 1) {
      champion = withSubjects(champion, come(each.champion));
      challenger = withSubjects(challenger, come(each.challenger));
      const pair = stratified([...before, adjustedPair(champion, challenger)]);
      if (!pair || Math.min(pair.subjects.champion, pair.subjects.challenger) < FEWEST) continue;
      const seen = { pair, champion, challenger, nth };
      claims.forEach((claim, i) => {
        claimed[i] ||= claim(seen);
      });
    }
    const phase = adjustedPair(champion, challenger);
    if (phase) before.push(phase);
  }
  return claimed;
};

const figuresOf = (kind: Kind, seed: number): readonly Figure[] => {
  const claims = [naive, sequence, groupOf(kind), ...(kind.isProportion ? [mixture] : [])];
  const found = claims.map(() => 0);
  const random = seeded(seed);
  for (let test = 0; test < TESTS; test += 1) {
    everClaimed(kind, claims, random).forEach((claimed, i) => {
      if (claimed) found[i] = (found[i] ?? 0) + 1;
    });
  }
  const [ofNaive = 0, ofSequence = 0, ofGroup = 0, ofMixture = 0] = found;
  const name = (claim: string): string => `A/A, ${kind.name}: ${claim}`;
  const limit = kind.isUneven ? null : ALPHA;
  return [
    ...bounded(name('confidence sequence'), ofSequence, TESTS, limit),
    ...bounded(name('group sequential'), ofGroup, TESTS, limit),
    ...(kind.isProportion ? bounded(name('mSPRT'), ofMixture, TESTS, limit) : []),
    rate(name('fixed interval, looked at as often'), ofNaive, TESTS),
  ];
};

export const falsePositives: Part = (progress) =>
  KINDS.flatMap((kind, i) => {
    progress(`A/A: ${kind.name}`);
    return figuresOf(kind, i + 1);
  });
