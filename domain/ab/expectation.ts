/** How long an evaluation will take: said before it starts, from the service's own traffic. */
import type { AbExpectation } from '../../contracts/ab.ts';
import type { Metric } from '../../contracts/vitals.ts';
import { halfWidth } from '../statistics/confidence-sequence.ts';
import { durationOf, subjectsNeeded } from '../statistics/power.ts';
import { emptyRatio, ratioOf, withSubjects } from '../statistics/ratio.ts';
import { normalQuantile } from '../statistics/special.ts';
import { nameOf, percent, thousands } from './sentence.ts';
import type { SubjectSums } from './subject-values.ts';

const POWER = 0.8;
const DAY = 86_400_000;
/** A challenger is taken to be better by so much more than what is asked for, at least. */
const LEAST_BEYOND = 0.01;

export interface Traffic {
  readonly metric: Metric;
  readonly gain: number;
  readonly alpha: number;
  /** How many came in this time. */
  readonly subjects: number;
  readonly forMs: number;
  /** Of some of them. */
  readonly seen: readonly SubjectSums[];
}

export const expectation = ({ metric, gain, alpha, subjects, forMs, seen }: Traffic): AbExpectation => {
  const perDay = forMs > 0 ? subjects / (forMs / DAY) : 0;
  const some = seen.filter(({ count }) => count > 0);
  const ratio = ratioOf(
    withSubjects(
      emptyRatio(),
      some.map(({ sum: y, count: m }) => ({ y, m, x: 0, w: 0 })),
    ),
  );
  const beyond = Math.max(gain, LEAST_BEYOND);
  const sd = ratio && Math.sqrt(ratio.variance * ratio.n);
  const fixed =
    ratio && sd && subjectsNeeded({ relative: beyond, mean: ratio.value, sd, alpha, power: POWER, ratio: 1 });
  // Of the others an evaluation learns nothing, though they come too.
  const needed = fixed ? Math.ceil((fixed * priceOfLooking(fixed, alpha) * seen.length) / some.length) : null;
  const { days, sentence } = durationOf({ subjectsPerDay: perDay, needed });
  const subjectsPerDay = Math.round(perDay);
  const because =
    needed === null
      ? ''
      : ` It takes ${thousands(needed)} subjects if ${nameOf(metric)} is ${percent(gain + beyond)} better, and about ${thousands(subjectsPerDay)} come a day.`;
  return { subjectsPerDay, subjectsNeeded: needed, days, sentence: `${sentence}${because}` };
};

/** An interval that may be looked at always is wider than one that is looked at once; it takes so many times the subjects. */
const priceOfLooking = (n: number, alpha: number): number => {
  const [always, once, power] = [
    halfWidth({ variance: 1, n, alpha, planned: n }),
    -normalQuantile(alpha / 2),
    normalQuantile(POWER),
  ];
  return ((always + power) / (once + power)) ** 2;
};
