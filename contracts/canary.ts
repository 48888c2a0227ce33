/**
 * A canary: the challenger gets traffic step by step, and is held against the champion all the while.
 *
 * 1. What was not measured never passes: a value that is missing, not a number or drawn from too few requests counts as the
 *    plan says, and 'passed' is not among what it may say.
 * 2. The worst outcome of all metrics is the outcome of an analysis: error, failed, inconclusive, passed.
 */
import type { ArtifactRef } from './artifact.ts';
import type { Arm } from './traffic.ts';
import type { Trial } from './trial.ts';
import type { Metric } from './vitals.ts';

/** The worst first. */
export const ANALYSIS_OUTCOMES = ['error', 'failed', 'inconclusive', 'passed'] as const;
export type AnalysisOutcome = (typeof ANALYSIS_OUTCOMES)[number];

/** A metric that is read now and then, and what its value means. */
export interface Measure {
  readonly name: string;
  readonly metric: Metric;
  readonly intervalMs: number;
  /** So many measurements; null: for as long as the analysis goes on. */
  readonly count: number | null;
  /** Before the first measurement. */
  readonly delayMs: number;
  /** Each measurement reads this long a window, but nothing from before the challenger got its share. */
  readonly windowMs: number;
  /** Fewer requests than this in the window are 'missing'. */
  readonly samples: number;
  /**
   * Conditions (domain/canary/condition.ts) over `result` and `baseline`, each with .value, .low, .high and .n. At least one is
   * there. Only success: what does not succeed fails. Only failure: what does not fail passes. Both: neither is inconclusive.
   */
  readonly success: string | null;
  readonly failure: string | null;
  /** More measurements than these that failed, or were inconclusive, end the analysis. */
  readonly failureLimit: number;
  readonly inconclusiveLimit: number;
  /** More errors than these one after the other. */
  readonly errorLimit: number;
  /** So many successes one after the other pass before `count` is reached; null: count decides. */
  readonly successes: number | null;
  /** What a window without data, or with NaN or an infinity in it, counts as. */
  readonly missing: 'failed' | 'inconclusive' | 'error';
  /** Measured and shown; decides nothing. */
  readonly dryRun: boolean;
}

/** How a metric of the challenger is held against that of the baseline, by their distributions. */
export interface JudgedMetric {
  readonly metric: Metric;
  readonly worse: 'higher' | 'lower' | 'either';
  /** Part of the score; 0 shows it only. */
  readonly weight: number;
  /** Worse here fails the canary, whatever the score. */
  readonly critical: boolean;
  /** Without data here nothing is judged. */
  readonly mustHave: boolean;
  readonly muted: boolean;
  /** A shift (Hodges-Lehmann) of less than this part of the baseline's median is no difference. */
  readonly tolerance: number;
  /** Values beyond this many interquartile ranges are left out on both sides; null keeps them. */
  readonly outliers: number | null;
}
export interface Judging {
  readonly metrics: readonly JudgedMetric[];
  readonly intervalMs: number;
  readonly count: number | null;
  readonly delayMs: number;
  /** Two-sided, of the Mann-Whitney interval. */
  readonly confidence: number;
  /** Fewer values than this on either side are no data. */
  readonly samples: number;
  /** Scores from 0 to 100: from `pass` on it passes, below `marginal` it fails, between them it is inconclusive. */
  readonly pass: number;
  readonly marginal: number;
}

export interface Analysis {
  readonly measures: readonly Measure[];
  readonly judging: Judging | null;
}

export type CanaryStep =
  | { readonly weight: number }
  | { readonly pauseMs: number }
  /** Waits until a person promotes it on, or aborts it. */
  | { readonly approval: true }
  /** Runs this analysis to its end. */
  | { readonly analysis: string }
  /** Asked too, for this share of the answers, without anybody seeing it. */
  | { readonly mirror: number }
  /** From here on a copy of the champion that starts as fresh as the challenger gets the same share, and is what it is held against. */
  | { readonly baseline: true };

/** Told, or asked, at these moments: by HTTP with a signature, or as an activity of the service's own. */
export interface Hook {
  readonly name: string;
  readonly at: 'before' | 'step' | 'after';
  readonly runs: { readonly url: string } | { readonly activity: string; readonly taskQueue: string };
  readonly timeoutMs: number;
  /** Whether its no, or its silence, ends the canary; otherwise it is noted only. Never so after it. */
  readonly decides: boolean;
}

export interface CanaryPlan {
  readonly steps: readonly CanaryStep[];
  readonly analyses: Readonly<Record<string, Analysis>>;
  /** Goes on from this step (0 is the first) until the promotion. */
  readonly background: { readonly analysis: string; readonly fromStep: number } | null;
  /** How long an inconclusive canary waits for a person before traffic goes back. */
  readonly holdMs: number;
  /** Requests that the challenger must have had in all; a canary below it holds and asks. */
  readonly floor: number;
  /**
   * Changes for the worse that must not pass unseen, by metric: points of share for errors, relative for all others. A canary
   * whose measurements do not rule out that the challenger is worse by as much holds and asks.
   */
  readonly mustNotice?: Readonly<Record<string, number>>;
  /** A challenger that was champion within so many promotions goes back without steps; 0: never. */
  readonly rollbackWindow: number;
  readonly hooks: readonly Hook[];
  /** After the promotion. */
  readonly watch: { readonly forMs: number; readonly analysis: string } | null;
}

/** One reading for one measure; `result` of the challenger, `baseline` of what it is held against. */
export interface Measurement {
  readonly name: string;
  readonly at: string;
  readonly result: MeasuredValue | null;
  readonly baseline: MeasuredValue | null;
  /** Set where it could not be read at all. */
  readonly error: string | null;
}
export interface MeasuredValue {
  /** null: not a number, or infinite. JSON has neither. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
}

/** What the judge says of one metric, and of all of them. */
export interface MetricJudgement {
  readonly metric: Metric;
  readonly class: 'pass' | 'high' | 'low' | 'no data';
  readonly because: string;
  /** Hodges-Lehmann shift of the challenger against the baseline, relative to the baseline's median. */
  readonly shift: number | null;
  readonly p: number | null;
  readonly n: { readonly challenger: number; readonly baseline: number };
}
export interface CanaryJudgement {
  readonly outcome: AnalysisOutcome;
  readonly score: number | null;
  readonly because: string;
  readonly metrics: readonly MetricJudgement[];
  /** ISO moment; of CanaryWindow.at, where that was given. */
  readonly at?: string;
}

/** Whom the values are of. `since`: when the challenger got its share; nothing from before counts. ISO moments. */
export interface CanaryWindow {
  readonly service: string;
  readonly challenger: string;
  readonly baseline: string;
  readonly since: string;
  /** Of what was found unseen, for the challenger. */
  readonly mirrored?: boolean;
  /** The baseline serves no more: it is read from as long a window before this moment. */
  readonly baselineUntil?: string;
  /** What is measured gets this moment: the workflow's, by which it reckons when the next one is due. Absent: the reader's own. */
  readonly at?: string;
}

/** The smallest change that a canary of this traffic would notice, by metric; said before it starts. */
export interface Detectable {
  readonly requestsPerMinute: number;
  readonly effects: ReadonlyArray<{ readonly metric: Metric; readonly relative: number | null }>;
  readonly sentence: string;
}

export interface PastChampion {
  readonly variant: string;
  /** When it became champion, and by which cycle; null: by a person (init, gold under a kill). */
  readonly at: string;
  readonly cycle: string | null;
}

/** What a canary leaves as evidence. */
export interface CanaryReport {
  readonly trial: Trial;
  readonly plan: CanaryPlan;
  readonly detectable: Detectable | null;
  readonly end: Readonly<Record<string, unknown>>;
  readonly steps: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly measurements: readonly Measurement[];
  readonly judgements: readonly CanaryJudgement[];
}

/** Activities of the canary, on the queue for data. All of them read, or are keyed: they are repeated at will. */
export interface CanaryActivities {
  measureCanary(order: CanaryWindow & { readonly measures: readonly Measure[] }): Promise<readonly Measurement[]>;
  judgeCanary(
    order: CanaryWindow & { readonly judging: Judging },
  ): Promise<CanaryJudgement & { readonly evidence: ArtifactRef }>;
  /** How many requests the challenger has answered since it got its share. */
  countCanary(order: CanaryWindow): Promise<{ readonly requests: number }>;
  /** What the plan must notice and may have missed, in sentences: by all that the challenger has had since it got its share. */
  doubtCanary(
    order: CanaryWindow & { readonly mustNotice: NonNullable<CanaryPlan['mustNotice']> },
  ): Promise<{ readonly doubts: readonly string[] }>;
  detectable(order: { readonly trial: Trial; readonly plan: CanaryPlan }): Promise<Detectable>;
  /** A copy of the variant under another id, registered, that starts with nothing cached. */
  twinOf(order: {
    readonly service: string;
    readonly variant: string;
    readonly cycle: string;
  }): Promise<{ readonly variant: string }>;
  /** Newest first, the present one included. */
  pastChampions(order: { readonly service: string; readonly most: number }): Promise<readonly PastChampion[]>;
  callHook(order: {
    readonly hook: Hook;
    readonly key: string;
    readonly trial: Trial;
    readonly what: string;
  }): Promise<{ readonly ok: boolean; readonly because: string }>;
  /** What the router says that serves; it is read back after every change. */
  readRoute(order: { readonly service: string }): Promise<readonly Arm[] | null>;
  keepCanary(report: CanaryReport): Promise<ArtifactRef>;
}
