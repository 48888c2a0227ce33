/**
 * How far two judges agree beyond chance: Cohen's weighted kappa (1968), with quadratic weights, because judging 3 for 2 is less
 * of a mistake than judging 3 for 0.
 *
 * A judge that is a program counts only once its agreement with people was measured, and only where the lower end of the
 * interval is good enough: what a few lucky pairs say is no measurement.
 */
import { seeded } from './random.ts';

export interface GradePair {
  readonly person: number;
  readonly judge: number;
}

export interface Agreement {
  /** 1: always; 0: as often as chance would have it. null where one of them gave a single grade throughout. */
  readonly kappa: number | null;
  /** 95 % interval, by percentile bootstrap over the pairs. */
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
}

const RESAMPLES = 1_000;

const kappaOf = (pairs: readonly GradePair[]): number | null => {
  const apart = pairs.reduce((total, { person, judge }) => total + (person - judge) ** 2, 0) / pairs.length;
  // By chance: every grade of one against every grade of the other. E(x − y)² = Var x + Var y + (E x − E y)².
  const moments = (of: (pair: GradePair) => number): readonly [number, number] => {
    const average = pairs.reduce((total, pair) => total + of(pair), 0) / pairs.length;
    return [average, pairs.reduce((total, pair) => total + (of(pair) - average) ** 2, 0) / pairs.length];
  };
  const [[a, spreadA], [b, spreadB]] = [moments(({ person }) => person), moments(({ judge }) => judge)];
  return spreadA === 0 || spreadB === 0 ? null : 1 - apart / (spreadA + spreadB + (a - b) ** 2);
};

export const agreement = (pairs: readonly GradePair[], seed: number): Agreement => {
  const n = pairs.length;
  const kappa = n === 0 ? null : kappaOf(pairs);
  if (kappa === null) return { kappa, low: null, high: null, n };
  const random = seeded(seed);
  const drawn = Array.from({ length: RESAMPLES }, () =>
    kappaOf(Array.from(pairs, () => pairs[Math.floor(random() * n)] as GradePair)),
  );
  // A draw in which one of them gave a single grade shows no agreement.
  const sorted = drawn.map((value) => value ?? 0).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * RESAMPLES)] ?? kappa;
  return { kappa, low: at(0.025), high: at(0.975), n };
};

export interface JudgeRule {
  /** Least lower end of the agreement. People among themselves reach 0.5 to 0.7 on relevance. */
  readonly atLeast: number;
  readonly pairs: number;
}
export const JUDGE_RULE: JudgeRule = { atLeast: 0.5, pairs: 50 };

/** null: its judgements count. */
export const whyJudgeDoesNotCount = ({ low, n }: Agreement, rule: JudgeRule = JUDGE_RULE): string | null => {
  if (n < rule.pairs) return `people have judged ${n} of the same pairs, and ${rule.pairs} are needed`;
  if (low === null) return 'it gave, or people gave, the same grade throughout: agreement cannot be told from chance';
  if (low >= rule.atLeast) return null;
  return `its agreement with people may be as low as ${low.toFixed(2)}, and ${rule.atLeast} is needed`;
};
