/** Which variant served at a moment, and which rows of the ledger say so and who decided. */
import type { LedgerRow } from '../contracts/ledger.ts';
import type { Arm, Latch } from '../contracts/traffic.ts';

export interface ServedAt {
  readonly champion: string | null;
  readonly arms: readonly Arm[];
  readonly latch: Latch;
  /** The row that made the champion champion. */
  readonly crowned: LedgerRow;
  /** The row that split the traffic as it then was; often the same. */
  readonly moved: LedgerRow;
}

interface State {
  readonly champion: string | null;
  readonly arms: readonly Arm[];
  readonly latch: Latch;
}

/** Of a service's rows, in their order, none of them later than the moment. null: not all that is asked for is among them. */
export const servedAt = (rows: readonly LedgerRow[]): ServedAt | null => {
  const changes = rows.flatMap((row) => {
    const after = stateIn(row.body.state);
    return row.body.outcome === 'done' && after ? [{ row, after, before: stateIn(row.body.before) }] : [];
  });
  const now = changes.at(-1)?.after;
  const crowned = changes.findLast(({ before, after }) => before?.champion !== after.champion)?.row;
  const moved = changes.findLast(({ before, after }) => splitOf(before) !== splitOf(after))?.row;
  return now && crowned && moved ? { ...now, crowned, moved } : null;
};

const stateIn = (value: unknown): State | null => {
  if (typeof value !== 'object' || value === null || !('arms' in value) || !Array.isArray(value.arms)) return null;
  const { champion, arms, latch } = value as State;
  return { champion, arms, latch };
};

const splitOf = (state: State | null): string =>
  JSON.stringify(state?.arms.map(({ variant, share, interleave }) => [variant, share, interleave]));

/** The decisions that a row followed from. `related`: the rows of its cycle, or of its service where it has none. */
export interface Decided {
  readonly admitted: LedgerRow | null;
  /** By people, with a signature. */
  readonly byPeople: readonly LedgerRow[];
  /** By the policy alone. */
  readonly byPolicy: readonly LedgerRow[];
  /** In words. */
  readonly who: string;
}

export const decidedFor = (row: LedgerRow, related: readonly LedgerRow[]): Decided => {
  const decisions = related.filter(
    ({ kind, body, seq }) => kind === 'decision' && body.allowed === true && seq < row.seq,
  );
  if (row.cycle === null) return decidedByHand(row, decisions);
  const admitted = related.find(({ kind }) => kind === 'cycle admitted') ?? null;
  const byPeople = decisions.filter(({ body }) => body.action === 'approve' && typeof body.person === 'string');
  const byPolicy = decisions.filter(({ body }) => typeof body.person !== 'string');
  return { admitted, byPeople, byPolicy, who: byPeople.length > 0 ? namesOf(byPeople) : whyNobody(admitted) };
};

/** What moves traffic without a cycle, and what a person signs for it. A kill needs no signature. */
const SIGNED: Readonly<Record<string, string>> = { gold: 'gold', arm: 'rearm' };

const decidedByHand = (row: LedgerRow, decisions: readonly LedgerRow[]): Decided => {
  const signed = decisions.findLast(({ body }) => body.action === SIGNED[row.kind] && typeof body.person === 'string');
  const who = signed ? namesOf([signed]) : `${row.actor.name} (${row.actor.kind}, who did it by hand)`;
  return { admitted: null, byPeople: signed ? [signed] : [], byPolicy: [], who };
};

const namesOf = (decisions: readonly LedgerRow[]): string =>
  [...new Set(decisions.map(({ body }) => `${body.person} (${body.role})`))].join(', ');

const whyNobody = (admitted: LedgerRow | null): string => {
  if (admitted?.body.approval === null) return 'nobody: the plan asks nobody';
  if (admitted?.body.approval === undefined)
    return 'not recorded: the cycle is from before decisions were rows of the ledger';
  return 'nobody is recorded, although the plan asks somebody';
};
