/** Each recording as a test, so that one that goes wrong says where; record.ts runs it. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createWorld, registerService, type World } from '../support/world.ts';
import { writeHistories } from './histories.ts';
import { abWalks } from './walks/ab.ts';
import { canaryWalks } from './walks/canary.ts';
import { cycleWalks } from './walks/cycle.ts';
import { killSwitchWalks, triggerWalks } from './walks/fleet.ts';
import { guardianWalks } from './walks/guardian.ts';
import { loraWalks } from './walks/lora.ts';
import { remediationWalks } from './walks/remediation.ts';
import { setScene, type Walk } from './walks/walk.ts';
import { watchWalks } from './walks/watch.ts';

const walks: Record<string, Record<string, Walk>> = {
  improvementCycle: cycleWalks,
  guardian: guardianWalks,
  killSwitch: killSwitchWalks,
  loraFineTune: loraWalks,
  abEvaluation: abWalks,
  canaryPromotion: canaryWalks,
  remediation: remediationWalks,
  promotionWatch: watchWalks,
  trigger: triggerWalks,
};

describe.for(Object.entries(walks))('%s', ([workflow, paths]) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  test.for(Object.entries(paths).map(([path, walk]) => ({ name: `${workflow}-${path}`, walk })))(
    '$name',
    async ({ name, walk }) => {
      const service = `docs-${Object.values(paths).indexOf(walk) + 1}`;
      await registerService(world.control, service);
      setScene(world, service);
      await writeHistories(name, await walk(world, service));
    },
  );
});
