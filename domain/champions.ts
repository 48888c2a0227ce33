/**
 * Who was champion, read from a service's ledger.
 *
 * 1. What the rows hold of the traffic decides, not what anybody says of it.
 * 2. A champion that was left by a way back (a fix, a kill) was left as broken: nobody goes back to it by that road.
 */
import { FIX_ID } from '../contracts/ids.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import type { Actor, ServiceState } from '../contracts/traffic.ts';

export interface ChampionChange {
  readonly variant: string;
  readonly seq: number;
  readonly cycle: string | null;
  readonly how: 'registered' | 'promoted' | 'fixed' | 'killed';
}

/** The kinds of rows that can hold a change of champion. */
export const CHAMPION_KINDS = ['register', 'shift', 'kill', 'gold'] as const;

const HOW: Readonly<Record<string, ChampionChange['how']>> = { register: 'registered', kill: 'killed', gold: 'killed' };
const howOf = ({ kind, cycle }: LedgerRow): ChampionChange['how'] =>
  HOW[kind] ?? (FIX_ID.test(cycle ?? '') ? 'fixed' : 'promoted');

/** Rows in their order; the oldest first. */
export const championChanges = (rows: readonly LedgerRow[]): readonly ChampionChange[] => {
  const changes: ChampionChange[] = [];
  for (const row of rows) {
    const state = row.body.outcome === 'done' ? (row.body.state as ServiceState | null) : null;
    const variant = state?.champion ?? null;
    if (variant === null || variant === changes.at(-1)?.variant) continue;
    changes.push({ variant, seq: row.seq, cycle: row.cycle, how: howOf(row) });
  }
  return changes;
};

/** Where the service can go back to, the nearest first. */
export const waysBack = (changes: readonly ChampionChange[]): readonly string[] => {
  const stack: string[] = [];
  for (const { variant, how } of changes) {
    const back = how === 'fixed' || how === 'killed';
    const at = back ? stack.lastIndexOf(variant) : -1;
    if (at >= 0) stack.length = at + 1;
    else if (back) stack[Math.max(0, stack.length - 1)] = variant;
    else stack.push(variant);
  }
  const present = stack.at(-1);
  return [...new Set(stack.reverse())].filter((variant) => variant !== present);
};

/** Which decision of a person made the present champion what it is; null where none did. */
export const personsDecision = (
  rows: readonly LedgerRow[],
  { champion, gold }: Pick<ServiceState, 'champion' | 'gold'>,
): string | null => {
  const last = championChanges(rows).at(-1);
  if (!last || champion === null || last.variant !== champion) return null;
  if (gold === champion) return 'it is gold, for which a person has vouched';
  const rearmed = rows.findLast((row) => row.seq > last.seq && isRearming(row));
  if (rearmed) return `${rearmed.actor.name} has armed the service with it`;
  const admitted = rows.find(({ kind, cycle }) => kind === 'fix admitted' && cycle === last.cycle);
  return admitted && isPersons(admitted) ? `${admitted.actor.name} went back to it (${last.cycle})` : null;
};

/** To arm a service for the first time says nothing of its champion yet. */
const isRearming = (row: LedgerRow): boolean =>
  row.kind === 'arm' && isPersons(row) && (row.body.before as ServiceState | null)?.latch !== 'disarmed';

const isPersons = ({ actor, body }: { actor: Actor; body: LedgerRow['body'] }): boolean =>
  actor.kind === 'person' && (body.outcome === undefined || body.outcome === 'done');
