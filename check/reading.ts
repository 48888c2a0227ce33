/** How the rules read the ledger, and what they say. */
import type { Evidence, LedgerRow, ServiceState } from './evidence.ts';

export interface Finding {
  readonly service: string;
  /** The ledger row that shows it, where one does. */
  readonly seq: number | null;
  readonly what: string;
}
/** The home holds nothing that the rule could be held against; that is not the same as keeping it. */
export interface NotApplicable {
  readonly notApplicable: string;
}
export type Verdict = readonly Finding[] | NotApplicable;
export interface Asked {
  /** Nothing runs: every cycle must have come to its end. */
  readonly atRest: boolean;
}
export type Rule = (evidence: Evidence, asked: Asked) => Verdict;

export const notApplicable = (because: string): NotApplicable => ({ notApplicable: because });
export const isApplicable = (verdict: Verdict): verdict is readonly Finding[] => !('notApplicable' in verdict);

export const at = ({ seq, service }: LedgerRow, what: string): Finding => ({ service, seq, what });

/** The numbers that a change of traffic carries. */
export interface FencingToken {
  readonly epoch: number;
  readonly promotion: number;
}

/** What the service held after this row; null where the row changed nothing. */
export const stateOf = ({ body }: LedgerRow): ServiceState | null =>
  body.outcome === 'done' ? (body.state as ServiceState) : null;
export const beforeOf = ({ body }: LedgerRow): ServiceState | null => (body.before ?? null) as ServiceState | null;
export const tokenOf = ({ body }: LedgerRow): FencingToken => body.token as FencingToken;
export const championOf = ({ body }: LedgerRow): string | null => (body.champion ?? null) as string | null;

export const isDone = (kind: string) => (row: LedgerRow) => row.kind === kind && row.body.outcome === 'done';

/** Rows of one service or cycle, each group in the order of seq. */
export const grouped = (
  rows: readonly LedgerRow[],
  by: (row: LedgerRow) => string,
): ReadonlyArray<readonly [string, readonly LedgerRow[]]> => [...Map.groupBy(rows, by)];

export const byService = ({ ledger }: Evidence) => grouped(ledger, ({ service }) => service);
/** A fix stands where a cycle does, under an id of another kind. */
export const isOfFix = ({ cycle }: LedgerRow): boolean => /^fx_\d{4}_\d{2}_\d{2}_\d{3,}$/.test(cycle ?? '');

/** A cycle's id is its service's own. */
export const byCycle = ({ ledger }: Evidence) =>
  grouped(
    ledger.filter((row) => row.cycle !== null && !isOfFix(row)),
    ({ service, cycle }) => `${service} ${cycle}`,
  );
export const byFix = ({ ledger }: Evidence) =>
  grouped(ledger.filter(isOfFix), ({ service, cycle }) => `${service} ${cycle}`);
