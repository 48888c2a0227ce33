/** From what a person wrote about trials to what workflows go by: plain values, everything said. */
import type { AbPlan } from '../contracts/ab.ts';
import type { Analysis, CanaryPlan, CanaryStep, Hook } from '../contracts/canary.ts';
import type { Settings } from '../contracts/config.ts';
import type { RemediationPlan } from '../contracts/remediation.ts';
import type { AnalysisSettings, HookSettings } from '../contracts/trial-config.ts';

type Ab = NonNullable<Settings['ab']>;
type Canary = NonNullable<Settings['canary']>;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const measure = (
  over: Partial<Analysis['measures'][number]> & Pick<Analysis['measures'][number], 'name' | 'metric'>,
) => ({
  intervalMs: MINUTE,
  count: null,
  delayMs: MINUTE,
  windowMs: 5 * MINUTE,
  samples: 30,
  success: null,
  failure: null,
  failureLimit: 0,
  inconclusiveLimit: 0,
  errorLimit: 4,
  successes: null,
  missing: 'inconclusive' as const,
  dryRun: false,
  ...over,
});

/**
 * What is surely worse, by intervals that do not touch. Noise alone would have to push two of them apart, so looking often
 * costs few false alarms; how many is measured (docs/benchmarks.md).
 */
const WORSE = {
  latency: 'result.low > 1.1 * baseline.high',
  errors: 'result.low > baseline.high + 1%',
  ndcg: 'result.high < 97% * baseline.low',
} as const;

const BUILT_IN: Readonly<Record<string, Analysis>> = {
  /** Before each step: several looks at everything, and the distributions side by side. */
  standard: {
    measures: [
      measure({ name: 'latency', metric: 'latency', failure: WORSE.latency, count: 5 }),
      measure({ name: 'errors', metric: 'errors', failure: WORSE.errors, count: 5 }),
      measure({ name: 'ndcg', metric: 'ndcg', failure: WORSE.ndcg, count: 5 }),
    ],
    judging: {
      metrics: [
        judged('latency', 'higher', { critical: true, tolerance: 0.1, mustHave: true }),
        judged('errors', 'higher', { critical: true }),
        judged('cost', 'higher', { tolerance: 0.2 }),
        judged('ndcg', 'lower', { critical: true }),
      ],
      intervalMs: 5 * MINUTE,
      count: 1,
      delayMs: 5 * MINUTE,
      confidence: 0.98,
      samples: 50,
      pass: 95,
      marginal: 75,
    },
  },
  /** All the while: a quick eye on what hurts users at once. What it cannot see yet it does not hold against anybody. */
  guard: {
    measures: [
      measure({ name: 'latency', metric: 'latency', failure: WORSE.latency, ...often() }),
      measure({ name: 'errors', metric: 'errors', failure: WORSE.errors, ...often() }),
    ],
    judging: null,
  },
};

function often() {
  return {
    intervalMs: 10 * SECOND,
    delayMs: 10 * SECOND,
    windowMs: 30 * SECOND,
    samples: 20,
    inconclusiveLimit: Number.MAX_SAFE_INTEGER,
  };
}

function judged(
  metric: string,
  worse: 'higher' | 'lower',
  over: Partial<NonNullable<Analysis['judging']>['metrics'][number]>,
) {
  const usual = { weight: 1, critical: false, mustHave: false, muted: false, tolerance: 0.05, outliers: null };
  return { metric, worse, ...usual, ...over };
}

export const abPlanOf = ({ ramp, metric, gain, method, alpha, harmAlpha, planned, ...ab }: Ab): AbPlan => ({
  ...{ ramp, metric, gain, method, alpha, harmAlpha, planned },
  phaseMs: ab.phase,
  lookMs: ab.look,
  windowMs: ab.window,
  beforeMs: ab.before,
  minimumMs: ab.minimum,
  maximumMs: ab.maximum,
  wholeWeek: ab.wholeWeek,
  guardrails: Object.entries(ab.guardrails).map(([of, margin]) => ({ metric: of, margin })),
  fewest: ab.fewest,
  undecided: ab.undecided,
  holdMs: ab.hold,
});

export const canaryPlanOf = ({ steps, analyses, background, hooks, watch, ...canary }: Canary): CanaryPlan => {
  const named: Readonly<Record<string, Analysis>> = {
    ...BUILT_IN,
    ...Object.fromEntries(Object.entries(analyses).map(([name, analysis]) => [name, analysisOf(analysis)])),
  };
  const used = new Set([
    ...steps.flatMap((step) => ('analysis' in step ? [step.analysis] : [])),
    ...(background ? [background.analysis] : []),
    ...(watch ? [watch.analysis] : []),
  ]);
  return {
    steps: steps.map(stepOf),
    analyses: Object.fromEntries(Object.entries(named).filter(([name]) => used.has(name))),
    background: background && { analysis: background.analysis, fromStep: background.from },
    holdMs: canary.hold,
    floor: canary.floor,
    ...(canary.mustNotice && { mustNotice: canary.mustNotice }),
    rollbackWindow: canary.rollbackWindow,
    hooks: hooks.map(hookOf),
    watch: watch && { forMs: watch.for, analysis: watch.analysis },
  };
};

export const remediationPlanOf = ({
  remedies,
  settle,
  look,
  hooks,
  perHour,
}: Settings['remediation']): RemediationPlan => ({
  remedies,
  settleMs: settle,
  lookMs: look,
  hooks: Object.fromEntries(
    Object.entries(hooks).flatMap(([name, hook]) => (hook ? [[name, { url: hook.url, timeoutMs: hook.timeout }]] : [])),
  ),
  perHour,
});

const stepOf = (step: Canary['steps'][number]): CanaryStep => ('pause' in step ? { pauseMs: step.pause } : step);

const analysisOf = ({ measures, judge }: AnalysisSettings): Analysis => ({
  measures: measures.map(({ every, delay, window, ...rest }) => ({
    ...rest,
    intervalMs: every,
    delayMs: delay ?? every,
    windowMs: window,
  })),
  judging: judge && judgingOf(judge),
});

const judgingOf = ({ every, delay, ...rest }: NonNullable<AnalysisSettings['judge']>) => ({
  ...rest,
  intervalMs: every,
  delayMs: delay ?? every,
});

/** Secrets stay in the file: whoever calls the hook looks them up by its name. */
const hookOf = ({ name, at, url, activity, taskQueue, timeout, decides }: HookSettings): Hook => ({
  ...{ name, at, timeoutMs: timeout, decides },
  runs: activity !== undefined ? { activity, taskQueue: taskQueue ?? '' } : { url: url ?? '' },
});
