/** An A/B evaluation, as a person reads it. */
import type { Estimate } from '../contracts/ab.ts';
import type { AbEnd, AbQuestion, AbStatus } from '../contracts/ab-messages.ts';
import { type Drawing, scaleOf, sparkline } from './sparkline.ts';
import { bad, bold, dim, good, head, type Line, percent, relative, short, table, warn } from './text.ts';

const BAR = 20;
const shareBar = (share: number, plain: boolean): string => {
  const filled = Math.max(share > 0 ? 1 : 0, Math.round(BAR * share));
  const [full, empty] = plain ? ['#', '.'] : ['█', '░'];
  return `${full.repeat(filled)}${empty.repeat(BAR - filled)} ${percent(share)}`;
};

const signed = (part: number): string => `${part >= 0 ? '+' : '−'}${percent(Math.abs(part))}`;
const figure = (value: number | null): string | null => (value === null ? null : String(Number(value.toPrecision(4))));

export const endLine = ({ outcome, because }: AbEnd): Line => [
  (outcome === 'better' || outcome === 'kept' ? good : bad)(outcome),
  ': ',
  because,
];

export const questionLines = ({ variant, summary, expiresAt }: AbQuestion, cycle: string, now: number): Line[] => [
  [warn('waits for a person: '), summary, dim(`; traffic goes back ${relative(expiresAt, now)}`)],
  [dim('  yes       '), `pawl ab promote ${cycle} --reason "…"`, dim(`  (on to the canary: ${short(variant)})`)],
  [dim('  no        '), `pawl ab reject ${cycle} --reason "…"`],
];

/** The gain over the looks, between the ends of its interval, all three on one scale. */
export const chartLines = ({ looks, plan }: AbStatus, drawing: Drawing = {}): Line[] => {
  const of = (pick: (gain: NonNullable<AbStatus['looks'][number]['gain']>) => number) =>
    looks.map(({ gain }) => (gain === null ? null : pick(gain)));
  const [high, value, low] = [of((gain) => gain.high), of((gain) => gain.value), of((gain) => gain.low)];
  const scale = chartScale(high, value, low);
  const last = looks.findLast(({ gain }) => gain !== null)?.gain;
  if (!scale || !last) return [];
  const rows = [
    ['highest', high, last.high],
    ['gain', value, last.value],
    ['lowest', low, last.low],
  ] as const;
  return [
    [dim(`${plan.metric}, looks 1 to the last, from ${signed(scale.from)} to ${signed(scale.to)}:`)],
    ...table(
      rows.map(([name, values, now]) => [
        name === 'gain' ? bold(name) : dim(name),
        sparkline(values, { ...drawing, scale }),
        signed(now),
      ]),
    ),
  ];
};

/** An interval is as good as unbounded while there are few subjects; beyond the middle half it is drawn at the edge. */
const chartScale = (high: ReadonlyArray<number | null>, value: ReadonlyArray<number | null>, low: typeof high) => {
  const latter = (values: typeof high) => values.slice(Math.floor(values.length / 4));
  return scaleOf(latter(high), value, latter(low), [0]);
};

const estimateLines = ({ finding, plan }: AbStatus): Line[] =>
  finding === null || finding.estimates.length === 0
    ? []
    : table([
        head('metric', 'champion', 'challenger', 'difference', 'interval', 'subjects', 'wanted'),
        ...finding.estimates.map((estimate) => [
          bold(estimate.metric),
          figure(estimate.champion),
          figure(estimate.challenger),
          estimate.relative ? signed(estimate.relative.value) : null,
          estimate.relative ? `${signed(estimate.relative.low)} to ${signed(estimate.relative.high)}` : null,
          estimate.subjects,
          dim(wanted(estimate, plan)),
        ]),
      ]);

const wanted = ({ metric }: Estimate, { metric: main, gain, guardrails }: AbStatus['plan']): string => {
  const margin = guardrails.find((guardrail) => guardrail.metric === metric)?.margin;
  const parts = [
    ...(metric === main ? [`more than ${percent(gain)} better`] : []),
    ...(margin === undefined ? [] : [`not ${percent(margin)} worse`]),
  ];
  return parts.join(', ');
};

export const statusLines = (status: AbStatus, now: number, drawing: Drawing = {}): Line[] => {
  const { cycle, service, champion, challenger, phase, looked, lookedAt, nextLookAt, paused, end, finding } = status;
  return [
    [bold(cycle), ` of ${service}`, dim(` (experiment ${status.experiment})`), paused && !end ? warn(' paused') : ''],
    [dim('challenger  '), short(challenger), phase && !end ? ` ${shareBar(phase.share, drawing.plain ?? false)}` : ''],
    [dim('champion    '), short(champion)],
    ...(status.outlook === null ? [] : [[dim('outlook     '), status.outlook]]),
    ...(phase && !end ? [phaseLine(phase, now)] : []),
    ...(lookedAt === null ? [] : [looksLine(looked, lookedAt, nextLookAt, now)]),
    ...(status.trouble === null ? [] : [[warn('the last look could not be taken: '), status.trouble]]),
    ...(finding === null ? [] : [[dim('finding     '), finding.sentence]]),
    ...chartLines(status, drawing),
    ...estimateLines(status),
    ...(status.question ? questionLines(status.question, cycle, now) : []),
    ...(end ? [endLine(end)] : []),
  ];
};

const phaseLine = ({ nth, of, since }: NonNullable<AbStatus['phase']>, now: number): Line => [
  dim('phase       '),
  `${nth} of ${of}, since ${relative(since, now)}`,
];
const looksLine = (looked: number, lookedAt: string, next: string | null, now: number): Line => [
  dim('looks       '),
  `${looked}, the last ${relative(lookedAt, now)}`,
  next === null ? '' : `, the next ${relative(next, now)}`,
];

/** All of it in one line, for a screen on which it is redrawn. */
export const liveLine = (status: AbStatus, drawing: Drawing = {}): string => {
  const values = status.looks.map(({ gain }) => gain?.value ?? null);
  const gain = status.looks.at(-1)?.gain;
  return [
    status.phase ? shareBar(status.phase.share, drawing.plain ?? false) : 'starting',
    ...(status.paused ? ['paused'] : []),
    ...(status.question ? ['waits for a person'] : []),
    `${status.plan.metric} ${sparkline(values, { width: 24, ...drawing })}`,
    ...(gain ? [`${signed(gain.value)} (${signed(gain.low)} to ${signed(gain.high)})`] : ['no data yet']),
  ].join('  ');
};

/** What changed since the look before, but for the end: a share, a look, a pause, a question. */
export const changesBetween = (before: AbStatus | null, status: AbStatus, now: number): Line[] => {
  const { outlook, phase, finding, looked, paused, question, trouble } = status;
  return [
    ...(outlook !== null && outlook !== before?.outlook ? [[dim('outlook  '), outlook]] : []),
    ...(phase && phase.share !== before?.phase?.share ? [[good('share    '), percent(phase.share)]] : []),
    ...(finding && looked !== before?.looked ? [[dim(`look ${looked}`.padEnd(9)), finding.sentence]] : []),
    ...(trouble !== null && trouble !== before?.trouble ? [[warn('no look  '), trouble]] : []),
    ...(paused === (before?.paused ?? false) ? [] : [[dim(paused ? 'paused' : 'goes on')]]),
    ...(question && !before?.question ? questionLines(question, status.cycle, now) : []),
  ];
};
