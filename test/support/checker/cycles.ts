import type { LedgerRow } from '../../../contracts/traffic.ts';
import type { Evidence } from './evidence.ts';
import { at, byCycle, championOf, type Finding, isDone, type Rule } from './reading.ts';

const OUTCOMES = ['promoted', 'kept', 'rolled back', 'rejected', 'expired', 'aborted', 'failed', 'killed'];

const isPromotion = (row: LedgerRow): boolean => isDone('shift')(row) && championOf(row) !== null;
const isEnd = ({ kind }: LedgerRow): boolean => kind === 'cycle ended';

/** One rule over the rows of each cycle. */
const ofCycles =
  (rule: (rows: readonly LedgerRow[], cycle: string) => readonly Finding[]): Rule =>
  (evidence) =>
    byCycle(evidence).flatMap(([cycle, rows]) => rule(rows, cycle));

export const endsOnce = ofCycles((rows, cycle) => {
  const [first] = rows;
  const admitted = rows.filter(({ kind }) => kind === 'cycle admitted');
  const ends = rows.filter(isEnd);
  if (!first || (admitted.length === 1 && ends.length === 1)) return [];
  return [at(first, `${cycle} was admitted ${admitted.length} times and ended ${ends.length} times`)];
});

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
