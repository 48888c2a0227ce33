/** A canary, as a person reads it. */
import type { Measurement } from '../contracts/canary.ts';
import type { CanaryEnd, CanaryQuestion, CanaryStatus, CanaryStepReport } from '../contracts/canary-messages.ts';
import { scaleOf, sparkline } from './sparkline.ts';
import {
  bad,
  bold,
  dim,
  good,
  type Line,
  type Piece,
  percent,
  relative,
  type Styled,
  short,
  span,
  table,
  warn,
} from './text.ts';

const MARKS: Readonly<Record<CanaryStepReport['state'], Styled>> = {
  running: dim('…'),
  waiting: warn('?'),
  done: good('✓'),
  skipped: dim('-'),
  failed: bad('✗'),
};

export const stepLine = ({ step, what, state, startedAt, endedAt, summary }: CanaryStepReport): Line => [
  MARKS[state],
  ` ${step.padEnd(10)} ${what.padEnd(28)} `,
  dim((endedAt ? span(Date.parse(endedAt) - Date.parse(startedAt)) : state).padEnd(11)),
  summary ?? '',
];

export const endLine = ({ outcome, because, championBroken, faultToChampionMs }: CanaryEnd): Line => [
  (outcome === 'promoted' ? good : bad)(outcome),
  ': ',
  because,
  ...(faultToChampionMs === undefined ? [] : [dim(`; ${span(faultToChampionMs)} from the fault to the champion`)]),
  ...(championBroken ? [bad('; the champion fails by it as well')] : []),
];

export const questionLines = (asked: CanaryQuestion, cycle: string, now: number): Line[] => {
  const until = asked.until === null ? [] : [dim(`; traffic goes back ${relative(asked.until, now)}`)];
  return [
    [warn('waits for a person: '), `${asked.step}, ${asked.because}`, ...until],
    [dim('  yes       '), `pawl canary promote ${cycle} --reason "…"`],
    ...(asked.kind === 'hold' ? [[dim('  measure   '), `pawl canary retry ${cycle} --reason "…"`] as Line] : []),
    [dim('  no        '), `pawl canary abort ${cycle} --reason "…"`],
  ];
};

const BAR = 20;
export const weightBar = (weight: number): string => {
  const filled = Math.min(BAR, Math.max(weight > 0 ? 1 : 0, Math.round(BAR * weight)));
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${percent(weight)}`;
};

interface Chart {
  readonly name: string;
  readonly challenger: ReadonlyArray<number | null>;
  readonly baseline: ReadonlyArray<number | null>;
  readonly last: Measurement;
}

/** One chart for each metric, in the order in which they were first measured. */
export const chartsOf = (measurements: readonly Measurement[]): readonly Chart[] =>
  [...Map.groupBy(measurements, ({ name }) => name)].map(([name, of]) => ({
    name,
    challenger: of.map(({ result }) => result?.value ?? null),
    baseline: of.map(({ baseline }) => baseline?.value ?? null),
    last: of.at(-1) as Measurement,
  }));

/** Challenger and baseline below each other, on one scale: what is higher is more. */
const chartLines = (charts: readonly Chart[]): Line[] =>
  table(
    charts.flatMap(({ name, challenger, baseline, last }) => {
      const scale = scaleOf(challenger, baseline);
      return [
        [bold(name), dim('challenger'), sparkline(challenger, { scale }), ...readingOf(last.result), last.error ?? ''],
        ['', dim('baseline'), dim(sparkline(baseline, { scale })), ...readingOf(last.baseline), ''],
      ];
    }),
  );

const readingOf = (value: Measurement['result']): Piece[] =>
  value === null
    ? [dim('no data'), '', '']
    : [figure(value.value), dim(between(value.low, value.high)), dim(`${value.n} requests`)];
const between = (low: number | null, high: number | null): string =>
  low === null || high === null ? '' : `${figure(low)} to ${figure(high)}`;
const figure = (value: number | null): string =>
  value === null ? 'not a number' : String(Number(value.toPrecision(3)));

/** All of it in one line, for a screen on which it is redrawn. */
export const liveLine = ({ weight, mirror, measurements, waitsFor, paused }: CanaryStatus): string =>
  [
    weightBar(weight),
    ...(mirror > 0 ? [`${percent(mirror)} mirrored`] : []),
    ...(paused ? ['paused'] : []),
    ...(waitsFor ? [`waits for a person: ${waitsFor.step}`] : []),
    ...chartsOf(measurements).map(({ name, challenger, baseline, last }) => {
      const drawn = sparkline(challenger, { scale: scaleOf(challenger, baseline), width: 16 });
      return `${name} ${drawn} ${last.result ? figure(last.result.value) : 'no data'} (${last.baseline ? figure(last.baseline.value) : 'no data'})`;
    }),
  ].join('  ');

export const statusLines = (status: CanaryStatus, now: number): Line[] => {
  const { cycle, service, environment, champion, challenger, weight, mirror, twin, paused, detectable } = status;
  const serves = status.end === null;
  return [
    [bold(cycle), ` of ${service}`, dim(` (${environment})`), paused ? warn(' paused') : ''],
    [
      dim('challenger  '),
      short(challenger),
      serves ? ` ${weightBar(weight)}` : '',
      mirror > 0 ? `, ${percent(mirror)} mirrored` : '',
    ],
    [
      dim('champion    '),
      short(champion),
      ...(twin === null ? [] : [dim(`, held against a fresh copy of it, ${short(twin)}`)]),
    ],
    ...(detectable ? [[dim('notices     '), detectable.sentence]] : []),
    ...status.steps.map(stepLine),
    ...restOf(status),
    ...chartLines(chartsOf(status.measurements)),
    ...status.analyses.map(
      ({ name, outcome, because }): Line => [dim(`analysis ${name}: `), OUTCOMES[outcome], ', ', because],
    ),
    ...scoreLines(status),
    ...(status.waitsFor && serves ? questionLines(status.waitsFor, cycle, now) : []),
    ...(status.end ? [endLine(status.end)] : []),
  ];
};

const OUTCOMES = {
  'going on': dim('going on'),
  passed: good('passed'),
  inconclusive: warn('inconclusive'),
  failed: bad('failed'),
  error: bad('error'),
} as const;

/** The steps that are still to come. */
const restOf = ({ plan, steps, end }: CanaryStatus): Line[] => {
  if (end) return [];
  const begun = new Set(steps.map(({ step }) => step));
  return plan.flatMap((what, n) => {
    const step = `canary ${n + 1}`;
    return begun.has(step) ? [] : [[dim('·'), dim(` ${step.padEnd(10)} ${what}`)]];
  });
};

const scoreLines = ({ judgements }: CanaryStatus): Line[] => {
  const last = judgements.at(-1);
  return last
    ? [
        [
          dim('judge       '),
          OUTCOMES[last.outcome],
          last.score === null ? '' : ` with ${Math.round(last.score)} of 100`,
          ', ',
          last.because,
        ],
      ]
    : [];
};

/** What changed since the look before: steps that began, were waited for, or ended; a question; the end. */
export const changesBetween = (before: CanaryStatus | null, status: CanaryStatus, now: number): Line[] => {
  const seen = before?.steps ?? [];
  const asked = status.waitsFor && status.waitsFor.step !== before?.waitsFor?.step ? status.waitsFor : null;
  return [
    ...(before === null && status.detectable ? [[dim('notices     '), status.detectable.sentence]] : []),
    ...status.steps
      .filter((report, at) => report.state !== seen[at]?.state && report.state !== 'waiting')
      .map(stepLine),
    ...(asked ? questionLines(asked, status.cycle, now) : []),
    ...(status.paused === (before?.paused ?? false) ? [] : [[dim(status.paused ? '  paused' : '  goes on')]]),
  ];
};
