/**
 * What a canary and its baseline are like now.
 *
 * 1. Nothing from before the challenger got its share is read, and of the baseline as long a window as of the challenger.
 * 2. What cannot be read is told as an error in the answer, and what is no number as null: neither is thrown, so that the
 *    plan's limits count it.
 */
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import type { VitalsSource } from '../adapters/vitals/port.ts';
import type {
  CanaryActivities,
  CanaryJudgement,
  CanaryWindow,
  Measure,
  MeasuredValue,
  Measurement,
} from '../contracts/canary.ts';
import { PawlError } from '../contracts/failures.ts';
import type { Metric, Reading, Vitals } from '../contracts/vitals.ts';
import { type JudgedSeries, judgeSeries } from '../domain/canary/judge.ts';
import { notRuledOut } from '../domain/canary/ruled-out.ts';
import { mean } from '../domain/intervals.ts';
import { percentile } from '../domain/percentile.ts';
import { TWIN } from './canary-twin.ts';

export interface ReadingDeps {
  readonly control: Pick<ControlStore, 'variant'>;
  readonly vitals: VitalsSource;
  readonly artifacts: Pick<ArtifactStore, 'putJson'>;
  now(): number;
}

// Safe to repeat, both: they read, and keep what is content-addressed. A later look sees more of the same window.
export const createReadingActivities = (
  deps: ReadingDeps,
): Pick<CanaryActivities, 'measureCanary' | 'judgeCanary' | 'doubtCanary'> => ({
  async measureCanary({ measures, ...window }) {
    const to = deps.now();
    const at = window.at ?? new Date(to).toISOString();
    // Measures of one window share what is read of it.
    const lengths = [...new Set(measures.map(({ windowMs }) => windowMs))];
    const looks = await Promise.all(lengths.map((ms) => lookAt(deps, window, to, ms)));
    return measures.map((measure) => measurementOf(measure, at, looks[lengths.indexOf(measure.windowMs)]));
  },

  async judgeCanary({ judging, ...window }) {
    const to = deps.now();
    let seen: readonly JudgedSeries[] = [];
    let judgement: CanaryJudgement;
    try {
      const metrics = judging.metrics.map(({ metric }) => metric);
      seen = await seriesOf(deps, metrics, await sidesOf(deps, window, to));
      judgement = judgeSeries(judging, seen);
    } catch (error) {
      judgement = { outcome: 'error', score: null, because: reasonOf(error), metrics: [] };
    }
    const at = window.at ?? new Date(to).toISOString();
    const series = seen.map(({ metric, challenger, baseline }) => ({
      metric,
      challenger: summaryOf(challenger),
      baseline: summaryOf(baseline),
    }));
    const evidence = await deps.artifacts.putJson({ stage: 'judge', at, window, judging, judgement, series });
    return { ...judgement, at, evidence };
  },

  async doubtCanary({ mustNotice, ...window }) {
    const sides = await sidesOf(deps, window, deps.now());
    return { doubts: notRuledOut(mustNotice, await seriesOf(deps, Object.keys(mustNotice), sides)) };
  },
});

/** All at once, so that what they are made of is read once (VitalsSource). */
const seriesOf = (deps: ReadingDeps, metrics: readonly Metric[], sides: Sides): Promise<readonly JudgedSeries[]> =>
  Promise.all(
    metrics.map(async (metric): Promise<JudgedSeries> => {
      const of = (side: Read) => deps.vitals.series({ ...side, metric });
      const [challenger, baseline] = await Promise.all([of(sides.challenger), of(sides.baseline)]);
      return { metric, challenger, baseline };
    }),
  );

type Read = Parameters<VitalsSource['read']>[0] & { readonly variant: string };
interface Sides {
  readonly challenger: Read;
  readonly baseline: Read;
}

/** From when the challenger is read: at most `ms` long. */
export const challengerOf = (window: CanaryWindow, to: number, ms = Number.POSITIVE_INFINITY): Read => {
  const { service, challenger: variant, since, mirrored = false } = window;
  return { service, variant, from: Math.max(momentOf(since), to - ms), to, ...(mirrored && { mirrored }) };
};

const sidesOf = async (deps: ReadingDeps, window: CanaryWindow, to: number, ms?: number): Promise<Sides> => {
  const { service, baseline: variant, baselineUntil } = window;
  const challenger = challengerOf(window, to, ms);
  const until = baselineUntil === undefined ? to : Math.min(to, momentOf(baselineUntil));
  const from = until - Math.max(0, to - challenger.from);
  // Beside a challenger that nobody sees, its twin is not seen either; a champion serves all the while.
  const mirrored = window.mirrored === true && (await deps.control.variant(variant))?.origin === TWIN;
  return { challenger, baseline: { service, variant, from, to: until, ...(mirrored && { mirrored }) } };
};

const momentOf = (text: string): number => {
  const ms = Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new PawlError('Usage', `${JSON.stringify(text)} is no moment from which a canary could be read.`, {
    hint: 'Moments are written like 2026-11-21T12:00:00.000Z.',
  });
};

type Look = { readonly result: Vitals; readonly baseline: Vitals } | { readonly error: string };

const lookAt = async (deps: ReadingDeps, window: CanaryWindow, to: number, ms: number): Promise<Look> => {
  try {
    const sides = await sidesOf(deps, window, to, ms);
    const read = (side: Read) => deps.vitals.read(side);
    const [result, baseline] = await Promise.all([read(sides.challenger), read(sides.baseline)]);
    return { result, baseline };
  } catch (error) {
    return { error: `the vitals of ${window.service} cannot be read: ${reasonOf(error)}` };
  }
};

const measurementOf = ({ name, metric }: Measure, at: string, look: Look | undefined): Measurement => {
  if (look === undefined || 'error' in look) {
    return { name, at, result: null, baseline: null, error: look?.error ?? 'it was not looked at' };
  }
  const readingOf = ({ readings }: Vitals): MeasuredValue | null => {
    const reading = readings[metric];
    return reading === undefined ? null : measuredOf(reading);
  };
  return { name, at, result: readingOf(look.result), baseline: readingOf(look.baseline), error: null };
};

const measuredOf = ({ value, low, high, n }: Reading): MeasuredValue => ({
  value: finite(value),
  low: finite(low),
  high: finite(high),
  n: finite(n) ?? 0,
});
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** What is kept of a series: enough to see what the judge saw, however long it was. */
const summaryOf = (values: readonly number[]) => {
  const known = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (known.length === 0) return { n: values.length };
  const at = (share: number): number => percentile(known, share);
  const quantiles = {
    min: at(0),
    p25: at(0.25),
    p50: at(0.5),
    p75: at(0.75),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
  };
  return { n: values.length, mean: mean(known), ...quantiles };
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
