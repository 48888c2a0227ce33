import type { Routers } from '../adapters/router/of-service.ts';
import type { ControlActivities } from '../contracts/control.ts';
import type { StateAnswer } from '../contracts/traffic.ts';
import { failing } from './failure.ts';
import { type TrafficDeps, whyForbidden } from './permission.ts';
import { ownRoutes, routesOf } from './route.ts';

type StoreActivities = Pick<
  ControlActivities,
  'readState' | 'grantLane' | 'shiftTraffic' | 'kill' | 'arm' | 'setGold' | 'note' | 'killAll' | 'liftAll'
>;

/**
 * Safe to repeat, all of them: the store gives a repeated key its first answer, a router is told the same under the same key,
 * and the rest only reads.
 */
export const createControlActivities = (deps: TrafficDeps & { readonly routers?: Routers }): StoreActivities => {
  const { control, routers } = deps;
  const routes = routers ? routesOf({ control, routers }) : ownRoutes;
  return failing({
    readState: ({ service }) => control.state(service),
    grantLane: (order) => control.grant(order),
    shiftTraffic: async (change) => {
      const refusal = (await whyForbidden(deps, change)) ?? (await routes.whyNot(change));
      return refusal ?? routes.told(change, await control.shift(change));
    },
    kill: async (order) => routes.told(order, await control.kill(order)),
    arm: (order) => control.arm(order),
    setGold: async (order) => {
      const answer = await control.setGold(order);
      // Only under the latch does it move traffic; what a cycle moves meanwhile is not told over.
      return answer.state?.latch === 'killed' ? routes.told(order, answer) : answer;
    },
    note: ({ entries }) => control.noteAll(entries),
    killAll: async (order) => {
      const killed = await control.killAll(order);
      const tell = async (service: string): Promise<StateAnswer | null> => {
        const state = await control.state(service);
        const key = `${order.key}/${service}`;
        return state && routes.told({ ...order, key, service }, { outcome: 'done', state });
      };
      // One router that does not answer keeps no other from being told.
      const told = await Promise.allSettled(killed.services.map(tell));
      for (const one of told) if (one.status === 'rejected') throw one.reason;
      return killed;
    },
    liftAll: (order) => control.liftAll(order),
  });
};
