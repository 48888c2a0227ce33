/**
 * What the store decides reaches a router that is not ours.
 *
 * 1. The store's row comes first: it refuses whatever is stale, and its answer to a repeated key is the first one. So
 *    whoever dies between the store and the router is mended by the next attempt, which tells the same again.
 * 2. It is told until it is known. A way back and a kill fail on nothing that another attempt could mend, a wrong secret
 *    included: a person mends it while they are repeated.
 * 3. Nothing is given to a challenger through a router that lets an older token pass. That is tried, not believed.
 */

import type { ControlStore } from '../adapters/control/port.ts';
import { routeOf } from '../adapters/router/embedded.ts';
import type { Routers } from '../adapters/router/of-service.ts';
import { newer, type RouteOrder, type TrafficRouter } from '../adapters/router/port.ts';
import type { LedgerEntry } from '../contracts/control.ts';
import { PawlError } from '../contracts/failures.ts';
import type { FencingToken, ServiceState, StateAnswer, TrafficChange } from '../contracts/traffic.ts';
import { whyNotShift } from '../domain/traffic.ts';
import { loosening } from './permission.ts';
import { isForGood } from './rulings.ts';
import { isWayBack } from './way-back.ts';

export interface Routes {
  /** null: nothing stands against it, as far as the router goes. */
  whyNot(change: TrafficChange): Promise<StateAnswer | null>;
  /** The store's answer, once the router knows it too. */
  told(order: Named, answer: StateAnswer): Promise<StateAnswer>;
}
type Named = Pick<LedgerEntry, 'key' | 'service' | 'actor' | 'reason'> & { readonly cycle?: string | null };

export const routesOf = ({ control, routers }: { control: ControlStore; routers: Routers }): Routes => {
  /** Services with the token under which their router has refused an older one. */
  const proven = new Map<string, string>();

  const refuse = async (change: TrafficChange, why: string, state: ServiceState): Promise<StateAnswer> => {
    await note(change, 'router refused', why);
    return { outcome: 'refused', because: 'router', why, state };
  };
  const note = ({ key, service, cycle = null, actor, reason }: Named, kind: string, why: string) =>
    control.note({ key: `${key}/${kind}: ${why}`, service, cycle, actor, reason, kind, body: { why } });

  const whyNotThrough = async (router: TrafficRouter, change: TrafficChange, state: ServiceState) => {
    const { service, token } = change;
    const name = nameOf(token);
    if (proven.get(service) === name) return null;
    const now: RouteOrder = { ...routeOf(state), key: `${service}/${name}/fence`, service };
    const fenced = await router.set(now);
    if (fenced.outcome === 'refused') return `it holds ${nameOf(fenced.route.token)}, and this is ${name}`;
    // As it serves now, so that a router that lets it pass has moved nothing.
    const tried = await router.set({ ...now, key: `${service}/${name}/trial`, token: olderThan(token) });
    if (tried.outcome === 'done')
      return `it took ${nameOf(olderThan(token))} after ${name}: it does not compare and set`;
    proven.set(service, name);
    return null;
  };

  return {
    whyNot: async (change) => {
      const state = await control.state(change.service);
      if (state === null || whyNotShift(state, change, () => true) !== null) return null;
      if (loosening(state, change) === null || (await isWayBack(control, state, change))) return null;
      try {
        const router = await routers.external(change.service);
        const why = router && (await whyNotThrough(router, change, state));
        return why === null ? null : await refuse(change, why, state);
      } catch (error) {
        if (isForGood(error)) return refuse(change, (error as Error).message, state);
        throw error;
      }
    },

    told: async (order, answer) => {
      if (answer.outcome === 'refused') return answer;
      const router = await routers.external(order.service).catch(async (error: Error) => {
        if (!isForGood(error)) throw error;
        await note(order, 'router unknown', error.message);
        return null;
      });
      if (router === null) return answer;
      const { key, service } = order;
      const route = routeOf(answer.state);
      const known = await router.set({ ...route, key, service }).catch(untilKnown);
      if (known.outcome === 'done') return answer;
      const state = (await control.state(service)) ?? answer.state;
      // Something newer was told in the meantime, such as a kill; the store has made this change all the same.
      if (newer(routeOf(state).token, route.token) > 0) return answer;
      const because = known.route.token.epoch === route.token.epoch ? 'stale promotion' : 'stale epoch';
      const why = `the router holds ${nameOf(known.route.token)}, which this store has never granted`;
      return { outcome: 'refused', because, why, state };
    },
  };
};

/** Ours is all there is: the store's row is the route. */
export const ownRoutes: Routes = { whyNot: async () => null, told: async (_, answer) => answer };

const untilKnown = (error: unknown): never => {
  if (!isForGood(error)) throw error;
  const { message, hint } = error as PawlError;
  throw new PawlError('Unavailable', message, { ...(hint !== undefined && { hint }), cause: error });
};

const nameOf = ({ epoch, promotion }: FencingToken): string => `${epoch}.${promotion}`;
/** A lane that was granted has a promotion number of 1 at least. */
const olderThan = ({ epoch, promotion }: FencingToken): FencingToken => ({ epoch, promotion: promotion - 1 });
