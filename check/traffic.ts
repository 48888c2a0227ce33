import { isDeepStrictEqual } from 'node:util';
import type { Arm, Evidence, LedgerRow, ServiceState } from './evidence.ts';
import { at, beforeOf, byService, type Finding, grouped, isDone, type Rule, stateOf, tokenOf } from './reading.ts';

export const hasNoGap: Rule = ({ ledger }) =>
  ledger
    .filter(({ seq }, n) => seq !== n + 1)
    .slice(0, 1)
    .map((row) => at(row, `row ${row.seq} stands where row ${ledger.indexOf(row) + 1} must stand`));

/** Keys are permanent: whoever repeats one gets the first answer, and leaves no second row. */
export const usesEachKeyOnce: Rule = ({ ledger }) =>
  grouped(
    ledger.filter(({ body }) => typeof body.key === 'string'),
    ({ service, body }) => `${service} ${body.key}`,
  ).flatMap(([key, [, ...again]]) => again.map((row) => at(row, `${key} was done again, as ${row.kind}`)));

/** One rule over the rows of each service. */
const ofServices =
  (rule: (rows: readonly LedgerRow[]) => readonly Finding[]) =>
  (evidence: Evidence): readonly Finding[] =>
    byService(evidence).flatMap(([, rows]) => rule(rows));

/** A kill raises the epoch by one, a grant the promotion number; nothing else moves them. */
export const countsKillsAndGrants = ofServices((rows) => {
  let epoch = 0;
  let promotion = 0;
  return rows.flatMap((row) => {
    const state = stateOf(row);
    if (!state) return [];
    if (row.kind === 'kill') epoch++;
    if (row.kind === 'grant') promotion++;
    if (state.epoch === epoch && state.promotion === promotion) return [];
    const found = `epoch ${state.epoch}, promotion ${state.promotion} after a ${row.kind}, not ${epoch} and ${promotion}`;
    ({ epoch, promotion } = state);
    return [at(row, found)];
  });
});

/** What moves traffic is the cycle that the lane was granted to last, with the numbers of that moment. */
export const movesOnlyByGrant = ofServices((rows) => {
  let epoch = 0;
  let promotion = 0;
  let holder: string | null = null;
  return rows.flatMap((row) => {
    if (isDone('kill')(row)) epoch++;
    if (isDone('grant')(row)) {
      promotion++;
      holder = row.cycle;
    }
    if (!isDone('shift')(row)) return [];
    const token = tokenOf(row);
    if (token.epoch === epoch && token.promotion === promotion && row.cycle === holder) return [];
    const held = `${holder} held epoch ${epoch}, promotion ${promotion}`;
    return [at(row, `${row.cycle} moved traffic with epoch ${token.epoch}, promotion ${token.promotion}; ${held}`)];
  });
});

export const movesNothingUnderTheLatch = ofServices((rows) => {
  let killed = false;
  return rows.flatMap((row) => {
    if (isDone('kill')(row)) killed = true;
    if (isDone('arm')(row)) killed = false;
    return killed && isDone('shift')(row) ? [at(row, `${row.cycle} moved the traffic of a killed service`)] : [];
  });
});

/** Floating-point shares such as 0.1 add up to almost 1. */
const ROUNDING = 1e-9;

export const sharesAddUp: Rule = (evidence) => {
  const odd = ({ arms }: ServiceState): boolean =>
    arms.some(({ share }) => !(share >= 0 && share <= 1)) ||
    !(Math.abs(arms.reduce((sum, { share }) => sum + share, 0) - 1) <= ROUNDING);
  return evidence.ledger.flatMap((row) => {
    const state = stateOf(row);
    return state && odd(state) ? [at(row, `the shares are ${sharesOf(state)}`)] : [];
  });
};

const onlyGold = ({ gold, arms }: ServiceState): boolean =>
  gold === null || isDeepStrictEqual(arms, [{ variant: gold, share: 1 }] satisfies Arm[]);

export const killedServesGold: Rule = (evidence) => [
  ...ofServices((rows) => {
    let killed = false;
    return rows.flatMap((row) => {
      if (isDone('kill')(row)) killed = true;
      if (isDone('arm')(row)) killed = false;
      const state = stateOf(row);
      return killed && state && !onlyGold(state) ? [at(row, `killed, and ${sharesOf(state)} serves`)] : [];
    });
  })(evidence),
  ...evidence.services
    .filter((state) => state.latch === 'killed' && !onlyGold(state))
    .map((state) => ({ service: state.service, seq: null, what: `killed, and ${sharesOf(state)} serves` })),
];

/** Each change starts where the one before it left off, and the last one is what serves. */
export const servesWhatTheLedgerSays: Rule = (evidence) => {
  const last = new Map<string, ServiceState>();
  const found = evidence.ledger.flatMap((row) => {
    const state = stateOf(row);
    if (!state) return [];
    const known = last.get(row.service) ?? null;
    last.set(row.service, state);
    return isDeepStrictEqual(beforeOf(row), known)
      ? []
      : [at(row, `the ${row.kind} did not start from the last state`)];
  });
  const others = evidence.services
    .filter((state) => !isDeepStrictEqual(state, last.get(state.service)))
    .map((state) => ({
      service: state.service,
      seq: null,
      what: `${sharesOf(state)} serves, by no row of the ledger`,
    }));
  return [...found, ...others];
};

const sharesOf = ({ arms }: ServiceState): string => JSON.stringify(arms);
