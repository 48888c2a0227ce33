/** A fix as lines. */
import type { FixEnd, FixOutcome } from '../contracts/remediation.ts';
import type { FixStatus } from '../contracts/remediation-messages.ts';
import type { ListedFix } from './fixes.ts';
import { bad, bold, dim, good, type Line, type Piece, relative, short, span, warn } from './text.ts';

const STYLES: Readonly<Record<FixOutcome, (text: string) => Piece>> = {
  remedied: good,
  'not needed': good,
  asked: warn,
  failed: bad,
  aborted: warn,
  killed: bad,
};
const styleOf = (outcome: string) => STYLES[outcome as FixOutcome] ?? bold;

export const fixEndLine = ({ outcome, because, champion }: FixEnd): Line => [
  styleOf(outcome)(outcome),
  ` – ${because}`,
  ...(champion === null ? [] : [dim(`; champion ${short(champion)}`)]),
];

export const fixLines = (one: ListedFix, status: FixStatus | null): Line[] => {
  const end = status?.end ?? one.end;
  const tried = status?.tried ?? end?.tried ?? [];
  return [
    [bold(one.fix), ` of ${one.service}, ${relative(one.startedAt, Date.now())}, asked for by ${one.requestedBy}`],
    [one.reason],
    ...(one.symptoms.length === 0 ? [] : [[`symptoms: ${one.symptoms.join(', ')}`]]),
    ...tried.map(({ remedy, result, tookMs }): Line => ['  ', bold(remedy), ` ${result}`, dim(` (${span(tookMs)})`)]),
    ...one.promises.map(
      ({ gate, withinMs, tookMs, kept }): Line => [
        '  ',
        kept ? good('kept') : bad('broken'),
        ` ${gate}: ${span(tookMs)} of ${span(withinMs)} from the first failing reading`,
      ],
    ),
    end ? fixEndLine(end) : [warn('runs')],
  ];
};
