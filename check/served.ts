import type { LedgerRow, Served, ServiceState } from './evidence.ts';
import { byService, type Rule, stateOf } from './reading.ts';

/** A request that was assigned before a change may be answered a little after it. */
const GRACE_MS = 500;

interface Span {
  readonly from: number;
  readonly to: number;
  readonly state: ServiceState;
}

export const servedByShare: Rule = (evidence) => {
  const spans = new Map(byService(evidence).map(([service, rows]) => [service, spansOf(rows)]));
  return evidence.served
    .filter(({ error }) => error === null)
    .filter((served) => !hadShare(served, spans.get(served.service) ?? []))
    .map(({ service, variant, at }) => ({
      service,
      seq: null,
      what: `${variant} answered at ${new Date(at).toISOString()}, when it had no share`,
    }));
};

const spansOf = (rows: readonly LedgerRow[]): Span[] => {
  const changes = rows.flatMap((row) => {
    const state = stateOf(row);
    return state ? [{ from: Date.parse(row.at), state }] : [];
  });
  return changes.map((change, n) => ({ ...change, to: changes[n + 1]?.from ?? Number.POSITIVE_INFINITY }));
};

const hadShare = ({ at, latencyMs, variant }: Served, spans: readonly Span[]): boolean => {
  const asked = at - latencyMs - GRACE_MS;
  return spans.some(
    ({ from, to, state }) =>
      from <= at && to > asked && state.arms.some((arm) => arm.variant === variant && arm.share > 0),
  );
};
