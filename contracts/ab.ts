/**
 * An A/B evaluation: subjects are dealt to champion and challenger, and looked at as they come, up to weeks.
 *
 * 1. A subject is enrolled once, in the phase of the ramp in which it was first seen by an arm of the experiment; what it
 *    does within the window after that is what counts.
 * 2. All that is kept of the data are sums per phase and arm: a look adds those subjects whose window has ended since.
 * 3. What is inconclusive is never shipped, and missing data never decides.
 */
import type { ArtifactRef } from './artifact.ts';
import type { Trial } from './trial.ts';
import type { Metric } from './vitals.ts';

export const AB_METHODS = ['confidence sequence', 'group sequential'] as const;
export type AbMethod = (typeof AB_METHODS)[number];

export interface Guardrail {
  readonly metric: Metric;
  /** Relative: the challenger may be worse by so much, and must be shown not to be worse by more. */
  readonly margin: number;
}

export interface AbPlan {
  /** Shares of the challenger, one after the other. */
  readonly ramp: readonly number[];
  /** At least so long in each of them. */
  readonly phaseMs: number;
  readonly lookMs: number;
  /** What a subject does for so long after it was enrolled is what it is judged by. */
  readonly windowMs: number;
  /** As long again before it: what its variance is reduced by (CUPED). 0: not at all. */
  readonly beforeMs: number;
  readonly minimumMs: number;
  readonly maximumMs: number;
  /** Every day of the week must have been seen. */
  readonly wholeWeek: boolean;
  readonly metric: Metric;
  /** Relative: the lower bound must be above it. */
  readonly gain: number;
  readonly guardrails: readonly Guardrail[];
  readonly method: AbMethod;
  readonly alpha: number;
  /** For stopping because of harm; smaller. */
  readonly harmAlpha: number;
  /** The number of subjects for which the interval is narrowest. */
  readonly planned: number;
  /** Fewer subjects than this on either arm decide nothing. */
  readonly fewest: number;
  /** What an evaluation without an answer at its end does. */
  readonly undecided: 'keep' | 'ask';
  /** How long a question waits for a person. */
  readonly holdMs: number;
}

/**
 * Sums over subjects of one arm in one phase, for one metric that is a ratio of two of a subject's own sums: y over m, and the
 * same from before it was enrolled, x over w. `products` holds the upper triangle of their products: yy, ym, yx, yw, mm, mx,
 * mw, xx, xw, ww.
 */
export interface RatioSums {
  readonly n: number;
  readonly sums: readonly [y: number, m: number, x: number, w: number];
  readonly products: readonly number[];
}
export interface ArmSums {
  /** Subjects that were enrolled, whether or not their window has ended. */
  readonly enrolled: number;
  readonly metrics: Readonly<Partial<Record<string, RatioSums>>>;
}
/** All that an evaluation remembers of its data. */
export interface AbSums {
  /** By share of the challenger, as the ramp writes it. */
  readonly phases: ReadonlyArray<{ readonly share: number; readonly champion: ArmSums; readonly challenger: ArmSums }>;
  /** Enrolled subjects that were answered by both arms. */
  readonly crossed: number;
  /** Requests without a subject: nobody's, so they count for nobody. */
  readonly unnamed: number;
  /** Windows that ended before this moment (ms) are in the sums. */
  readonly until: number;
}

export interface Estimate {
  readonly metric: Metric;
  readonly champion: number | null;
  readonly challenger: number | null;
  /** Difference challenger − champion relative to the champion, with its always-valid interval; null without data. */
  readonly relative: { readonly value: number; readonly low: number; readonly high: number } | null;
  readonly p: number | null;
  readonly subjects: number;
}

export const AB_DECISIONS = ['go on', 'promote', 'keep', 'stop for harm', 'void', 'ask'] as const;
export type AbDecision = (typeof AB_DECISIONS)[number];
/** What a look finds: a decision, its reasons, and the figures behind it. */
export interface AbFinding {
  readonly decision: AbDecision;
  /** A plain sentence. */
  readonly sentence: string;
  readonly reasons: readonly string[];
  readonly estimates: readonly Estimate[];
  /** Chi-square p over all phases; null without subjects. */
  readonly sampleRatioP: number | null;
  readonly crossed: number;
  readonly subjects: { readonly champion: number; readonly challenger: number };
}

export interface AbLook {
  readonly service: string;
  /** As the gateway names it: epoch.promotion. */
  readonly experiment: string;
  readonly champion: string;
  readonly challenger: string;
  readonly metrics: readonly Metric[];
  readonly windowMs: number;
  readonly beforeMs: number;
  /** Since when the experiment runs, and up to which moment of it is looked at; ms. */
  readonly since: number;
  readonly now: number;
  readonly sums: AbSums | null;
}
/** Activities of the A/B evaluation, on the queue for data. */
export interface AbActivities {
  /** Adds what has come to its end since the last look. Depends on its input alone, so it is repeated at will. */
  lookAtArms(look: AbLook): Promise<AbSums>;
  /** Subjects a day that the service sees, and how its metrics vary: how long an answer will take. */
  expectAb(order: { service: string; metric: Metric; gain: number; alpha: number }): Promise<AbExpectation>;
  /** What is left of the share of error for this service's next evaluation. */
  alphaOf(order: { service: string; cycle: string; alpha: number }): Promise<{ alpha: number; nth: number }>;
  keepAb(report: AbReport): Promise<ArtifactRef>;
}

/** One look, as a chart shows it: the challenger's relative gain in the plan's metric, with its interval. */
export interface AbPoint {
  readonly at: string;
  readonly share: number;
  /** Null where there is no data yet. */
  readonly gain: { readonly value: number; readonly low: number; readonly high: number } | null;
  readonly subjects: number;
  readonly decision: AbDecision;
}
/** What an evaluation leaves as evidence, and what a person is asked about. */
export interface AbReport {
  readonly trial: Trial;
  /** As it was decided by: with the alpha that was left. */
  readonly plan: AbPlan;
  readonly expectation: AbExpectation | null;
  readonly startedAt: string;
  readonly at: string;
  /** How it ended; null where a person is asked. */
  readonly outcome: string | null;
  readonly because: string;
  readonly finding: AbFinding | null;
  readonly sums: AbSums | null;
  /** Thinned out. */
  readonly looks: readonly AbPoint[];
}
export interface AbExpectation {
  readonly subjectsPerDay: number;
  readonly subjectsNeeded: number | null;
  readonly days: number | null;
  /** 'With your traffic this takes about 9 days.' */
  readonly sentence: string;
}
