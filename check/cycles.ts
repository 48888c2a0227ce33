import type { Evidence, LedgerRow, ServiceState } from './evidence.ts';
import { type Asked, at, beforeOf, byCycle, championOf, type Finding, isDone, type Rule, stateOf } from './reading.ts';

const OUTCOMES = ['promoted', 'kept', 'rolled back', 'rejected', 'expired', 'aborted', 'failed', 'killed'];

const isPromotion = (row: LedgerRow): boolean => isDone('shift')(row) && championOf(row) !== null;
const isAdmission = ({ kind }: LedgerRow): boolean => kind === 'cycle admitted';
const isEnd = ({ kind }: LedgerRow): boolean => kind === 'cycle ended';

/** One rule over the rows of each cycle. */
const ofCycles =
  (rule: (rows: readonly LedgerRow[], cycle: string, asked: Asked) => readonly Finding[]): Rule =>
  (evidence, asked) =>
    byCycle(evidence).flatMap(([cycle, rows]) => rule(rows, cycle, asked));

/** A cycle starts before its admission is noted, so while things run either row may still be to come. */
export const endsOnce = ofCycles((rows, cycle, { atRest }) => {
  const [first] = rows;
  const counts = [rows.filter(isAdmission).length, rows.filter(isEnd).length] as const;
  const wrong = counts.some((count) => (atRest ? count !== 1 : count > 1));
  if (!first || !wrong) return [];
  return [at(first, `${cycle} was admitted ${counts[0]} times and ended ${counts[1]} times`)];
});

/** Cycles that have not come to their end, or of whose admission nothing is known yet. */
export const runningIn = (evidence: Evidence): string[] =>
  byCycle(evidence)
    .filter(([, rows]) => !rows.some(isEnd) || !rows.some(isAdmission))
    .map(([cycle]) => cycle);

export const endsLegally = ofCycles((rows, cycle) =>
  rows
    .filter((row) => isEnd(row) && !OUTCOMES.includes(String(row.body.outcome)))
    .map((row) => at(row, `${cycle} ended as ${JSON.stringify(row.body.outcome)}`)),
);

export const promotesOnce = ofCycles((rows, cycle) =>
  rows
    .filter(isPromotion)
    .slice(1)
    .map((row) => at(row, `${cycle} made a champion again`)),
);

export const promotesAsItSays = ofCycles((rows, cycle) =>
  rows.filter(isEnd).flatMap((end) => {
    const said = end.body.outcome === 'promoted' ? String(end.body.challenger) : null;
    const promotion = rows.find(isPromotion);
    const made = promotion ? championOf(promotion) : null;
    return said === made
      ? []
      : [at(end, `${cycle} says that it promoted ${said}, and the traffic that it was ${made}`)];
  }),
);

export const movesNothingAfterItsEnd = ofCycles((rows, cycle) => {
  const end = rows.find(isEnd);
  const late = rows.filter((row) => isDone('shift')(row) && end !== undefined && row.seq > end.seq);
  return late.map((row) => at(row, `${cycle} moved traffic after its end in row ${end?.seq}`));
});

/** Whoever got a share from this cycle has none when it ends as anything but a promotion; a kill sees to that as well. */
export const leavesNoTrial: Rule = (evidence, asked) => {
  const kills = Map.groupBy(evidence.ledger.filter(isDone('kill')), ({ service }) => service);
  const killedBetween = (from: LedgerRow, to: LedgerRow): boolean =>
    (kills.get(to.service) ?? []).some(({ seq }) => seq > from.seq && seq < to.seq);
  return ofCycles((rows, cycle) =>
    rows
      .filter((row) => isEnd(row) && row.body.outcome !== 'promoted')
      .flatMap((end) => {
        const moves = rows.filter((row) => isDone('shift')(row) && row.seq < end.seq);
        const [first, last] = [moves[0], moves.at(-1)];
        if (!first || !last || killedBetween(last, end)) return [];
        const served = sharesIn(beforeOf(first));
        const left = sharesIn(stateOf(last)).filter((variant) => !served.includes(variant));
        return left.map((variant) => at(end, `${cycle} ended as ${end.body.outcome} and left ${variant} its share`));
      }),
  )(evidence, asked);
};

const sharesIn = (state: ServiceState | null): string[] =>
  (state?.arms ?? []).filter(({ share }) => share > 0).map(({ variant }) => variant);

/** The reason of a cycle's own change of traffic is the step that it belongs to. */
export const takesEachStepOnce = ofCycles((rows, cycle) => {
  const steps = rows.filter((row) => isDone('shift')(row) && row.actor.kind === 'cycle');
  return steps
    .filter((row, n) => steps.findIndex(({ reason }) => reason === row.reason) < n)
    .map((row) => at(row, `${cycle} did ${row.reason} again`));
});

export const registersOneVariant: Rule = ({ variants, ledger }: Evidence) => {
  const cycles = new Set(ledger.flatMap(({ kind, cycle }) => (kind === 'cycle admitted' && cycle ? [cycle] : [])));
  const made = Map.groupBy(variants, ({ service, origin }) => `${service} ${origin}`);
  return [...made.values()]
    .filter(([first, second]) => first && second && cycles.has(first.origin))
    .map((all) => ({
      service: all[0]?.service ?? '',
      seq: null,
      what: `${all[0]?.origin} registered ${all.length} variants: ${all.map(({ id }) => id).join(', ')}`,
    }));
};
