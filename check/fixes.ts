/** What a fix may do to the traffic: it goes back, says how, and ends once. */
import type { Evidence, LedgerRow } from './evidence.ts';
import {
  type Asked,
  at,
  beforeOf,
  byFix,
  byService,
  championOf,
  type Finding,
  isDone,
  isOfFix,
  notApplicable,
  type Rule,
  stateOf,
  type Verdict,
} from './reading.ts';

const OUTCOMES = ['remedied', 'not needed', 'asked', 'failed', 'aborted', 'killed'];
/** The reasons of a fix's changes of traffic, and the remedy that each belongs to. */
const REMEDY_OF: Readonly<Record<string, string>> = {
  'fix: back to a cheaper champion': 'cheaper',
  'fix: back to the previous champion': 'previous',
  'fix: back to gold': 'gold',
};

const isAdmission = ({ kind }: LedgerRow): boolean => kind === 'fix admitted';
const isEnd = ({ kind }: LedgerRow): boolean => kind === 'fix ended';
/** The guardian puts a fix's traffic in order where it has vanished. */
const isOwnMove = (row: LedgerRow): boolean => isDone('shift')(row) && row.actor.kind !== 'guardian';

/** One rule over the rows of each fix. A number that was granted the lane and could not be used has nothing else. */
const ofFixes =
  (rule: (rows: readonly LedgerRow[], fix: string, asked: Asked) => readonly Finding[]): Rule =>
  (evidence, asked): Verdict => {
    const fixes = byFix(evidence).filter(([, rows]) => rows.some(({ kind }) => kind !== 'grant'));
    if (fixes.length === 0) return notApplicable('nothing was ever mended');
    return fixes.flatMap(([fix, rows]) => rule(rows, fix, asked));
  };

export const fixEndsOnce = ofFixes((rows, fix, { atRest }) => {
  const [first] = rows;
  const counts = [rows.filter(isAdmission).length, rows.filter(isEnd).length] as const;
  const wrong = counts.some((count) => (atRest ? count !== 1 : count > 1));
  if (!first || !wrong) return [];
  return [at(first, `${fix} was admitted ${counts[0]} times and ended ${counts[1]} times`)];
});

export const fixEndsLegally = ofFixes((rows, fix) =>
  rows
    .filter((row) => isEnd(row) && !OUTCOMES.includes(String(row.body.outcome)))
    .map((row) => at(row, `${fix} ended as ${JSON.stringify(row.body.outcome)}`)),
);

/** Each change of champion is a remedy of its own, and the end says that it was tried. */
export const fixMovesAsItSays = ofFixes((rows, fix) => {
  const end = rows.find(isEnd);
  const tried = ((end?.body.tried ?? []) as ReadonlyArray<{ readonly remedy: string }>).map(({ remedy }) => remedy);
  const moves = rows.filter(isOwnMove);
  return moves.flatMap((row, n): Finding[] => {
    const remedy = REMEDY_OF[row.reason];
    if (remedy === undefined || championOf(row) === null) return [at(row, `${fix} moved traffic as ${row.reason}`)];
    if (moves.findIndex(({ reason }) => reason === row.reason) < n) return [at(row, `${fix} did ${row.reason} again`)];
    // One that has vanished can say nothing any more.
    const told = !end || end.actor.kind === 'guardian' || tried.includes(remedy);
    return told ? [] : [at(row, `${fix} did ${row.reason}, and its end does not say so`)];
  });
});

export const fixMovesNothingAfterItsEnd = ofFixes((rows, fix) => {
  const end = rows.find(isEnd);
  const late = rows.filter((row) => isDone('shift')(row) && end !== undefined && row.seq > end.seq);
  return late.map((row) => at(row, `${fix} moved traffic after its end in row ${end?.seq}`));
});

/** All of the traffic, to gold or to what was champion before, as the rows before it tell. */
export const fixGoesBack: Rule = (evidence: Evidence): Verdict => {
  const moves = evidence.ledger.filter((row) => isOfFix(row) && isDone('shift')(row));
  if (moves.length === 0) return notApplicable('no fix has moved traffic');
  return byService(evidence).flatMap(([, rows]) => {
    const champions = new Set<string>();
    return rows.flatMap((row): Finding[] => {
      const [before, after] = [beforeOf(row), stateOf(row)];
      const found: Finding[] = [];
      if (after && isOfFix(row) && row.kind === 'shift') {
        const to = after.champion ?? '';
        const whole = after.arms.length === 1 && after.arms[0]?.variant === to && after.arms[0].share === 1;
        if (!whole) found.push(at(row, `${row.cycle} gave traffic to others than the champion ${to}`));
        if (!champions.has(to) && to !== before?.gold)
          found.push(at(row, `${row.cycle} made ${to} champion, which was neither champion before nor gold`));
      }
      if (after?.champion) champions.add(after.champion);
      return found;
    });
  });
};

/** Fixes that have not come to their end, or of whose admission nothing is known yet. */
export const fixesRunningIn = (evidence: Evidence): string[] =>
  byFix(evidence)
    .filter(([, rows]) => rows.some(({ kind }) => kind !== 'grant'))
    .filter(([, rows]) => !rows.some(isEnd) || !rows.some(isAdmission))
    .map(([fix]) => fix);
