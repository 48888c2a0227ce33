/** A world for the tests of a file, and in it a service of its own for each test, so that none sees what another did. */
import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { GuardianInput } from '../../contracts/guardian.ts';
import { guardianId } from '../../contracts/ids.ts';
import { guardianStatusQuery } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { testPlan } from './plan.ts';
import { door, guardianOf } from './requests.ts';
import { stagesTo } from './stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from './world.ts';

export const guardedService = () => {
  let world: World;
  let service: string;
  let services = 0;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());
  beforeEach(async () => {
    service = `guard-${++services}`;
    await registerService(world.control, service);
    world.plan = testPlan();
    world.stages = stagesTo(challengerOf(service));
  });

  return {
    get world() {
      return world;
    },
    get service() {
      return service;
    },
    guardian: () => guardianOf(world, service),
    state: () => world.control.state(service),
    status: () => guardianOf(world, service).query(guardianStatusQuery),
    gold: () => [{ variant: championOf(service), share: 1 }],
    startGuardian: (options: Omit<GuardianInput, 'service'>) =>
      world.client.workflow.start('guardian', {
        workflowId: guardianId(service),
        taskQueue: queues.control,
        args: [{ service, ...options }],
      }),
    /** Cycles stand in training until the test lets them go. */
    holdTraining: () => {
      const held = door();
      const { train } = stagesTo(challengerOf(service));
      world.stages = stagesTo(challengerOf(service), {
        train: async (input) => {
          await Promise.race([held.opened, Context.current().cancelled]);
          return train(input);
        },
      });
      return held;
    },
  };
};
