/** How the rules read the ledger. */
import type { FencingToken, LedgerRow, ServiceState } from '../../../contracts/traffic.ts';
import type { Evidence } from './evidence.ts';

export interface Finding {
  readonly service: string;
  /** The ledger row that shows it, where one does. */
  readonly seq: number | null;
  readonly what: string;
}
export type Rule = (evidence: Evidence) => readonly Finding[];

export const at = ({ seq, service }: LedgerRow, what: string): Finding => ({ service, seq, what });

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
/** A cycle's id is its service's own. */
export const byCycle = ({ ledger }: Evidence) =>
  grouped(
    ledger.filter(({ cycle }) => cycle !== null),
    ({ service, cycle }) => `${service} ${cycle}`,
  );
