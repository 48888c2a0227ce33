import type { ControlStore } from '../adapters/control/port.ts';
import type { ControlActivities } from '../contracts/control.ts';
import { failing } from './failure.ts';

type StoreActivities = Pick<
  ControlActivities,
  'readState' | 'grantLane' | 'shiftTraffic' | 'kill' | 'arm' | 'setGold' | 'note' | 'killAll' | 'liftAll'
>;

/** Safe to repeat, all of them: the store gives a repeated key its first answer, and the rest only reads. */
export const createControlActivities = ({ control }: { control: ControlStore }): StoreActivities =>
  failing({
    readState: ({ service }) => control.state(service),
    grantLane: (order) => control.grant(order),
    shiftTraffic: (change) => control.shift(change),
    kill: (order) => control.kill(order),
    arm: (order) => control.arm(order),
    setGold: (order) => control.setGold(order),
    note: async ({ entries }) => {
      for (const entry of entries) await control.note(entry);
    },
    killAll: (order) => control.killAll(order),
    liftAll: (order) => control.liftAll(order),
  });
