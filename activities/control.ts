import type { ControlActivities } from '../contracts/control.ts';
import { failing } from './failure.ts';
import { type TrafficDeps, whyForbidden } from './permission.ts';

type StoreActivities = Pick<
  ControlActivities,
  'readState' | 'grantLane' | 'shiftTraffic' | 'kill' | 'arm' | 'setGold' | 'note' | 'killAll' | 'liftAll'
>;

/** Safe to repeat, all of them: the store gives a repeated key its first answer, and the rest only reads. */
export const createControlActivities = (deps: TrafficDeps): StoreActivities => {
  const { control } = deps;
  return failing({
    readState: ({ service }) => control.state(service),
    grantLane: (order) => control.grant(order),
    shiftTraffic: async (change) => (await whyForbidden(deps, change)) ?? control.shift(change),
    kill: (order) => control.kill(order),
    arm: (order) => control.arm(order),
    setGold: (order) => control.setGold(order),
    note: ({ entries }) => control.noteAll(entries),
    killAll: (order) => control.killAll(order),
    liftAll: (order) => control.liftAll(order),
  });
};
