/**
 * Holds a canary against its baseline by the distributions of their metrics, after the published rules of Netflix' judge of
 * automated canary analysis (Kayenta, NetflixACAJudge).
 *
 * 1. A metric is worse where the whole interval of its difference lies beyond a quarter of the estimate, to the bad side; and
 *    where the estimate reaches the tolerance of the metric, so that what is certain but small fails nobody.
 * 2. The first of VERDICTS that applies is the outcome. What is known to be critically worse fails, whatever else is missing.
 * 3. What was not measured never passes. A metric without data is left out of the score; with nothing left there is none.
 */
import type {
  AnalysisOutcome,
  CanaryJudgement,
  JudgedMetric,
  Judging,
  MetricJudgement,
} from '../../contracts/canary.ts';
import type { Metric } from '../../contracts/vitals.ts';
import { type Comparison, compared, finite, withoutOutliers } from './comparison.ts';

/** Of the estimated difference: what both ends of its interval must be beyond. */
export const CERTAIN = 0.25;

export interface JudgedSeries {
  readonly metric: Metric;
  readonly challenger: readonly number[];
  readonly baseline: readonly number[];
}

export const judgeSeries = (judging: Judging, series: readonly JudgedSeries[]): CanaryJudgement => {
  const metrics = judging.metrics.map((rule) => {
    const { challenger, baseline } = series.find(({ metric }) => metric === rule.metric) ?? NOTHING;
    return judgeMetric(rule, judging, challenger, baseline);
  });
  const counted = judging.metrics.flatMap((rule, i) => {
    const found = metrics[i];
    return found && !rule.muted ? [{ rule, found }] : [];
  });
  const score = scoreOf(counted);
  const verdict = VERDICTS.find(({ applies }) => applies(counted, score, judging)) ?? UNMEASURED;
  return {
    outcome: verdict.outcome,
    score: verdict.score === 'as counted' ? score : verdict.score,
    because: verdict.because(counted, score, judging),
    metrics,
  };
};

const NOTHING = { challenger: [], baseline: [] };

/** Whether a difference is one, and to which side. Direction and muting aside. */
export const sideOf = (
  { difference, low, high, scale }: Pick<Comparison, 'difference' | 'low' | 'high' | 'scale'>,
  tolerance: number,
): 'high' | 'low' | 'pass' => {
  const beyond = CERTAIN * Math.abs(difference);
  if (Math.abs(difference) < tolerance * scale) return 'pass';
  if (low > beyond) return 'high';
  return high < -beyond ? 'low' : 'pass';
};

const BAD = { higher: ['high'], lower: ['low'], either: ['high', 'low'] } as const;

const judgeMetric = (
  rule: JudgedMetric,
  { confidence, samples }: Judging,
  ...sides: readonly [readonly number[], readonly number[]]
): MetricJudgement => {
  const [challenger, baseline] = [finite(sides[0]), finite(sides[1])];
  const { metric } = rule;
  const n = { challenger: challenger.length, baseline: baseline.length };
  const none = { metric, class: 'no data', shift: null, p: null, n } as const;
  if (Math.min(n.challenger, n.baseline) < samples) {
    return { ...none, because: `${n.challenger} and ${n.baseline} values, where ${samples} on each side are needed` };
  }
  const found = compared(
    withoutOutliers(challenger, rule.outliers),
    withoutOutliers(baseline, rule.outliers),
    confidence,
  );
  if (!found) {
    return {
      ...none,
      because: `${n.challenger} and ${n.baseline} values cannot be compared at ${percent(confidence)}`,
    };
  }
  const side = sideOf(found, rule.tolerance);
  const bad: readonly string[] = BAD[rule.worse];
  return {
    metric,
    class: bad.includes(side) ? side : 'pass',
    because: sentenceOf(found, rule, side, confidence),
    shift: found.scale > 0 ? found.difference / found.scale : null,
    p: found.p,
    n,
  };
};

interface Judged {
  readonly rule: JudgedMetric;
  readonly found: MetricJudgement;
}
const isBad = ({ found }: Judged): boolean => found.class === 'high' || found.class === 'low';
const hasData = ({ found }: Judged): boolean => found.class !== 'no data';
const isLacking = (one: Judged): boolean => one.rule.mustHave && !hasData(one);
const isCritical = (one: Judged): boolean => one.rule.critical && isBad(one);
const names = (some: readonly Judged[]): string => some.map(({ found }) => found.metric).join(', ');

/** Out of 100: the weight of what passed, of all that has data. Null where nothing that has any weight has data. */
const scoreOf = (counted: readonly Judged[]): number | null => {
  const weightOf = (some: readonly Judged[]): number => some.reduce((sum, { rule }) => sum + rule.weight, 0);
  const judged = counted.filter(hasData);
  const all = weightOf(judged);
  return all > 0 ? (100 * weightOf(judged.filter((one) => !isBad(one)))) / all : null;
};

type Asked<T> = (counted: readonly Judged[], score: number | null, judging: Judging) => T;
interface Verdict {
  readonly outcome: AnalysisOutcome;
  readonly applies: Asked<boolean>;
  readonly because: Asked<string>;
  readonly score: 'as counted' | 0 | null;
}
const scored: Asked<string> = (counted, score, { pass, marginal }) => {
  const worse = counted.filter(isBad);
  return `scored ${rounded(score ?? 0)} of 100 (passes from ${pass}, fails below ${marginal})${
    worse.length > 0 ? `; worse: ${names(worse)}` : ''
  }`;
};

const CRITICAL: Verdict = {
  outcome: 'failed',
  applies: (counted) => counted.some(isCritical),
  because: (counted) => `critical and worse: ${names(counted.filter(isCritical))}`,
  score: 0,
};
const LACKING: Verdict = {
  outcome: 'inconclusive',
  applies: (counted) => counted.some(isLacking),
  because: (counted) => `without data, which it must have: ${names(counted.filter(isLacking))}`,
  score: null,
};
const UNMEASURED: Verdict = {
  outcome: 'inconclusive',
  applies: (_, score) => score === null,
  because: () => 'no metric that counts has data',
  score: null,
};
const byScore = (outcome: AnalysisOutcome, applies: (score: number, judging: Judging) => boolean): Verdict => ({
  outcome,
  applies: (_, score, judging) => score !== null && applies(score, judging),
  because: scored,
  score: 'as counted',
});
const VERDICTS: readonly Verdict[] = [
  CRITICAL,
  LACKING,
  UNMEASURED,
  byScore('failed', (score, { marginal }) => score < marginal),
  byScore('passed', (score, { pass }) => score >= pass),
  byScore('inconclusive', () => true),
];

const rounded = (value: number): number => Number(value.toPrecision(3));
const percent = (share: number): string => `${rounded(100 * share)} %`;
const sentenceOf = (
  { difference, low, high, scale, kind }: Comparison,
  { tolerance, worse }: JudgedMetric,
  side: 'high' | 'low' | 'pass',
  confidence: number,
): string => {
  const inUnits = kind === 'share' || scale === 0;
  const said = (value: number): string => {
    const text = inUnits ? `${rounded(kind === 'share' ? 100 * value : value)}` : percent(value / scale);
    return value > 0 ? `+${text}` : text;
  };
  const what = { shift: 'shifted by', share: 'points of share:', mean: 'mean changed by' }[kind];
  const found = `${what} ${said(difference)}, ${percent(confidence)} interval ${said(low)} to ${said(high)}`;
  if (side === 'pass')
    return Math.abs(difference) < tolerance * scale && low * high > 0 ? `${found}: tolerated` : found;
  return (BAD[worse] as readonly string[]).includes(side) ? `${found}: worse` : `${found}: not for the worse`;
};
