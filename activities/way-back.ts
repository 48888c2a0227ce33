/**
 * Whether a change that makes another variant champion is a way back, which asks nobody. It is told by the ledger, and by
 * nothing that the change says of itself.
 *
 * 1. Only a fix goes back so: the lane was granted to it, by this very token.
 * 2. It goes back to gold, or to what was champion before; to that wholly, and to nothing beside it.
 */
import type { ControlStore } from '../adapters/control/port.ts';
import { FIX_ID } from '../contracts/ids.ts';
import type { ServiceState, TrafficChange } from '../contracts/traffic.ts';
import { CHAMPION_KINDS, championChanges } from '../domain/champions.ts';

export const isWayBack = async (
  control: Pick<ControlStore, 'ledger'>,
  state: ServiceState,
  { service, cycle, champion, arms, token }: TrafficChange,
): Promise<boolean> => {
  if (cycle === null || !FIX_ID.test(cycle) || champion === undefined) return false;
  if (arms.some(({ variant, share, mirror = 0 }) => variant !== champion && (share > 0 || mirror > 0))) return false;
  const own = await control.ledger({ service, cycle });
  const granted = own.some(
    ({ kind, body }) =>
      kind === 'grant' && body.outcome === 'done' && (body.state as ServiceState).promotion === token.promotion,
  );
  if (!granted) return false;
  if (champion === state.gold) return true;
  const rows = await Promise.all(CHAMPION_KINDS.map((kind) => control.ledger({ service, kind })));
  const changes = championChanges(rows.flat().sort((a, b) => a.seq - b.seq));
  return changes.some(({ variant }) => variant === champion);
};
