import type { Arm, LedgerRow, Served, ServiceState } from './evidence.ts';
import { byService, type Rule, stateOf } from './reading.ts';

/** A request that was assigned before a change may be answered a little after it. */
const GRACE_MS = 500;

interface Span {
  readonly from: number;
  readonly to: number;
  readonly state: ServiceState;
}

/** What a row of the log says, held against the traffic of its time. */
interface Claim {
  /** Those that must have been named for it. */
  readonly by: (served: Served) => readonly string[];
  readonly may: (arm: Arm) => boolean;
  readonly otherwise: (variant: string, at: string) => string;
}

const heldAgainstTraffic =
  ({ by, may, otherwise }: Claim): Rule =>
  (evidence) => {
    const spans = new Map(byService(evidence).map(([service, rows]) => [service, spansOf(rows)]));
    return evidence.served.flatMap((served) => {
      const arms = armsAt(served, spans.get(served.service) ?? []).filter(may);
      return by(served)
        .filter((variant) => !arms.some((arm) => arm.variant === variant))
        .map((variant) => ({
          service: served.service,
          seq: null,
          what: otherwise(variant, new Date(served.at).toISOString()),
        }));
    });
  };

export const servedByShare = heldAgainstTraffic({
  by: ({ error, mirrored, variant }) => (error === null && mirrored !== true ? [variant] : []),
  may: ({ share }) => share > 0,
  otherwise: (variant, at) => `${variant} answered at ${at}, when it had no share`,
});

/** Whether an answer came of it or not. */
export const mirroredByShare = heldAgainstTraffic({
  by: ({ mirrored, variant }) => (mirrored === true ? [variant] : []),
  may: ({ mirror = 0 }) => mirror > 0,
  otherwise: (variant, at) => `${variant} was asked too at ${at}, when nothing was to be mirrored to it`,
});

export const mixedFromInterleaved = heldAgainstTraffic({
  by: ({ teams = [] }) => teams,
  may: ({ interleave }) => interleave === true,
  otherwise: (variant, at) => `${variant} had a part in an answer at ${at}, when it was not interleaved`,
});

const spansOf = (rows: readonly LedgerRow[]): Span[] => {
  const changes = rows.flatMap((row) => {
    const state = stateOf(row);
    return state ? [{ from: Date.parse(row.at), state }] : [];
  });
  return changes.map((change, n) => ({ ...change, to: changes[n + 1]?.from ?? Number.POSITIVE_INFINITY }));
};

const armsAt = ({ at, latencyMs }: Served, spans: readonly Span[]): readonly Arm[] => {
  const asked = at - latencyMs - GRACE_MS;
  return spans.filter(({ from, to }) => from <= at && to > asked).flatMap(({ state }) => state.arms);
};
