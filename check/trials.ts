/**
 * What a trial in live traffic (an A/B evaluation, a canary) and the watch after a promotion may do. A trial's changes of
 * traffic carry its workflow's id in their key; its end stands in a row of its own.
 */
import type { Arm, LedgerRow } from './evidence.ts';
import {
  type Asked,
  at,
  beforeOf,
  byCycle,
  championOf,
  type Finding,
  grouped,
  isDone,
  isOfFix,
  notApplicable,
  type Rule,
  stateOf,
} from './reading.ts';

type Kind = 'ab' | 'canary';
const KINDS = ['ab', 'canary'] as const;

const movesOf = (rows: readonly LedgerRow[], kind: Kind): LedgerRow[] =>
  rows.filter((row) => isDone('shift')(row) && new RegExp(`^pawl:[^:]+:${kind}:`).test(String(row.body.key)));
const endsOf = (rows: readonly LedgerRow[], kind: Kind | 'watch'): LedgerRow[] =>
  rows.filter((row) => row.kind === `${kind} ended`);
const nameOf = (kind: Kind, cycle: string): string => `the ${kind === 'ab' ? 'A/B evaluation' : 'canary'} of ${cycle}`;

type OfCycle = (rows: readonly LedgerRow[], cycle: string, asked: Asked) => readonly Finding[];

/** One rule over the rows of each cycle that has rows of this kind. */
const ofCyclesWith =
  (has: (rows: readonly LedgerRow[]) => boolean, because: string, rule: OfCycle): Rule =>
  (evidence, asked) => {
    const cycles = byCycle(evidence).filter(([, rows]) => has(rows));
    if (cycles.length === 0) return notApplicable(because);
    return cycles.flatMap(([cycle, rows]) => rule(rows, cycle, asked));
  };

const hasAb = (rows: readonly LedgerRow[]): boolean =>
  rows.some(({ kind }) => kind === 'ab started' || kind === 'ab ended') || movesOf(rows, 'ab').length > 0;
const hasCanary = (rows: readonly LedgerRow[]): boolean =>
  endsOf(rows, 'canary').length > 0 || movesOf(rows, 'canary').length > 0;
const hasTrial = (rows: readonly LedgerRow[]): boolean => hasAb(rows) || hasCanary(rows);
const NO_AB = 'there was no A/B evaluation';
const NO_CANARY = 'there was no canary';
const NO_TRIAL = 'nothing was tried in live traffic by an A/B evaluation or a canary';

/** One that was stopped before it could say that it begins has an end alone. */
export const abEndsOnce = ofCyclesWith(hasAb, NO_AB, (rows, cycle, { atRest }) => {
  const starts = rows.filter(({ kind }) => kind === 'ab started');
  const [first] = [...starts, ...movesOf(rows, 'ab'), ...endsOf(rows, 'ab')];
  const { length: ends } = endsOf(rows, 'ab');
  const started = starts.length === 1 || (starts.length === 0 && movesOf(rows, 'ab').length === 0);
  if (!first || (started && ends <= 1 && (ends === 1 || !atRest))) return [];
  return [at(first, `${nameOf('ab', cycle)} started ${starts.length} times and ended ${ends} times`)];
});

/** It says nothing when it begins; that it has is seen by what it moved. */
export const canaryEndsOnce = ofCyclesWith(hasCanary, NO_CANARY, (rows, cycle, { atRest }) => {
  const [first] = [...movesOf(rows, 'canary'), ...endsOf(rows, 'canary')];
  const { length: ends } = endsOf(rows, 'canary');
  if (!first || ends === 1 || (ends === 0 && !atRest)) return [];
  return [at(first, `${nameOf('canary', cycle)} ended ${ends} times`)];
});

export const trialMovesNothingAfterItsEnd = ofCyclesWith(hasTrial, NO_TRIAL, (rows, cycle) =>
  KINDS.flatMap((kind) => {
    const [end] = endsOf(rows, kind);
    const late = movesOf(rows, kind).filter(({ seq }) => end !== undefined && seq > end.seq);
    return late.map((row) => at(row, `${nameOf(kind, cycle)} moved traffic after its end in row ${end?.seq}`));
  }),
);

/** A cycle that has a canary promotes by it and by nothing else. */
export const canaryPromotesForItsCycle = ofCyclesWith(hasCanary, NO_CANARY, (rows, cycle) => {
  const [end] = rows.filter(({ kind }) => kind === 'cycle ended');
  const [canary] = endsOf(rows, 'canary');
  if (!end || !canary) return [];
  const [said, made] = [canary, end].map(({ body }) => body.outcome === 'promoted');
  if (said === made) return [];
  return [at(end, `${cycle} ended as ${end.body.outcome}, and its canary as ${canary.body.outcome}`)];
});

/** From step to step more, until it has nothing: what an evaluation takes back it takes back whole, and last. */
export const abOnlyGivesMore = ofCyclesWith(hasAb, NO_AB, (rows, cycle) => {
  const challenger = rows.find(({ kind }) => kind === 'ab started')?.body.challenger;
  const moves = movesOf(rows, 'ab').map((row) => ({ row, share: shareIn(stateOf(row)?.arms ?? [], challenger) }));
  return moves.flatMap(({ row, share }, n): Finding[] => {
    const before = moves[n - 1]?.share ?? 0;
    if (share > before || (share === 0 && n > 0 && n === moves.length - 1)) return [];
    return [at(row, `${nameOf('ab', cycle)} gave its challenger ${share} after ${before}`)];
  });
});

const shareIn = (arms: readonly Arm[], of: unknown): number => arms.find(({ variant }) => variant === of)?.share ?? 0;

/**
 * What it moved last is what its end says: a challenger that is better, or promoted, has its share; otherwise nobody has one
 * who had none before the cycle. Where a kill or a later grant came between, the traffic was not its own any more.
 */
export const trialLeavesWhatItSays: Rule = (evidence, asked) => {
  const overtaking = Map.groupBy(
    evidence.ledger.filter((row) => isDone('kill')(row) || isDone('grant')(row)),
    ({ service }) => service,
  );
  const isOvertaken = (last: LedgerRow, end: LedgerRow): boolean =>
    (overtaking.get(end.service) ?? []).some(({ seq }) => seq > last.seq && seq < end.seq);
  return ofCyclesWith(hasTrial, NO_TRIAL, (rows, cycle) => {
    const first = rows.find(isDone('shift'));
    const served = (first ? (beforeOf(first)?.arms ?? []) : []).filter(({ share }) => share > 0);
    return KINDS.flatMap((kind): Finding[] => {
      const [end] = endsOf(rows, kind);
      if (!end || saysThatItCouldNot(end)) return [];
      const last = movesOf(rows, kind)
        .filter(({ seq }) => seq < end.seq)
        .at(-1);
      const says = `${nameOf(kind, cycle)} ended as ${end.body.outcome}`;
      const goesOn = end.body.outcome === (kind === 'ab' ? 'better' : 'promoted');
      if (!last) return goesOn ? [at(end, `${says}, and has moved nothing`)] : [];
      if (isOvertaken(last, end)) return [];
      const left = (stateOf(last)?.arms ?? [])
        .filter((arm) => arm.share > 0 || (arm.mirror ?? 0) > 0)
        .filter(({ variant }) => !served.some((one) => one.variant === variant));
      if (!goesOn) return left.map(({ variant }) => at(end, `${says} and left ${variant} on trial`));
      if (kind === 'canary' && championOf(last) === null) return [at(end, `${says}, and made no champion`)];
      return left.length > 0 ? [] : [at(end, `${says}, and left nothing on trial`)];
    });
  })(evidence, asked);
};

/** Then the cycle does it, which is held against rules of its own. */
const saysThatItCouldNot = ({ body }: LedgerRow): boolean => String(body.traffic ?? '').startsWith('could not');

const hasWatch = (rows: readonly LedgerRow[]): boolean => endsOf(rows, 'watch').length > 0;
const NO_WATCH = 'nothing was watched after its promotion';

export const watchEndsOnce = ofCyclesWith(hasWatch, NO_WATCH, (rows, cycle) => {
  const [first, ...more] = endsOf(rows, 'watch');
  const end = rows.find(({ kind }) => kind === 'cycle ended');
  const again = more.map((row) => at(row, `the watch after ${cycle} ended again`));
  if (!first || (end && end.seq < first.seq && end.body.outcome === 'promoted')) return again;
  return [...again, at(first, `${cycle} was watched, and had promoted nothing`)];
});

/** A watch moves nothing itself: it asks for a fix. */
export const watchGoesBackByAFix: Rule = (evidence, asked) => {
  const fixes = new Map(
    grouped(evidence.ledger.filter(isOfFix), ({ service, cycle }) => `${service} ${cycle}`).map(([fix, rows]) => [
      fix,
      rows.find(({ kind }) => kind === 'fix ended'),
    ]),
  );
  return ofCyclesWith(hasWatch, NO_WATCH, (rows, cycle) =>
    endsOf(rows, 'watch')
      .filter(({ body }) => body.outcome === 'rolled back')
      .flatMap((row): Finding[] => {
        const fix = fixes.get(`${row.service} ${row.body.fix}`);
        const done = fix !== undefined && fix.seq < row.seq && fix.body.outcome === 'remedied';
        return done ? [] : [at(row, `the watch after ${cycle} says that ${row.body.fix} went back, and it did not`)];
      }),
  )(evidence, asked);
};
