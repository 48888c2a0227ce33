/** What the policy says to starts, through the guardian. */
import { expect, test } from 'vitest';
import { guardianId } from '../../contracts/ids.ts';
import { guardedService } from '../support/guarded-service.ts';
import { testPlan } from '../support/plan.ts';
import { eventually, runCycle, triggerCycle } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { challengerOf } from '../support/world.ts';

const scene = guardedService();

test('a start without a good signature is refused in production, and a gate starts there', async () => {
  const { world, service } = scene;
  world.plan = testPlan({ environment: 'production' });
  const unsigned = await triggerCycle(world, service, 'hand');
  expect(unsigned).toEqual({ admitted: false, because: expect.stringContaining('signed') });
  const garbage = await triggerCycle(world, service, 'hand', 'garbage');
  expect(garbage).toEqual({ admitted: false, because: expect.stringContaining('not a token') });
  expect(await world.control.ledger({ service, kind: 'cycle admitted' })).toEqual([]);
  expect(await triggerCycle(world, service, 'gate')).toMatchObject({ admitted: true });
});

test('whoever signed is who asked for the cycle, and the admission names the decision', async () => {
  const { world, service } = scene;
  world.plan = testPlan({ environment: 'production' });
  const token = world.sign({ action: 'start', workflow: guardianId(service) });
  expect(await triggerCycle(world, service, 'hand', token)).toMatchObject({ admitted: true });
  const [decided] = await world.control.ledger({ service, kind: 'decision' });
  const [admitted] = await world.control.ledger({ service, kind: 'cycle admitted' });
  expect(admitted?.actor).toEqual({ kind: 'person', name: 'ada' });
  expect(decided?.body).toMatchObject({ action: 'start', allowed: true, person: 'ada', token });
  expect(decided?.body.policy).toMatchObject({ id: admitted?.body.decision });
});

test('what the stages of a cycle used stands at its end, and the next cycle is held against it', async () => {
  const { world, service } = scene;
  world.plan = testPlan({ limits: { ...testPlan().limits, centsPerDay: 10 } });
  const standard = stagesTo(challengerOf(service));
  world.stages = stagesTo(challengerOf(service), {
    train: async (input) => ({ ...(await standard.train(input)), usage: { cpuSeconds: 60, cents: 6.5 } }),
    evaluate: async (input) => ({ ...(await standard.evaluate(input)), usage: { cpuSeconds: 5, cents: 3.5 } }),
    diagnose: async (input) => ({
      ...(await standard.diagnose(input)),
      usage: { cents: 'plenty', gpuSeconds: -7 } as never,
    }),
  });
  await runCycle(world, service);
  const [ended] = await eventually(
    () => world.control.ledger({ service, kind: 'cycle ended' }),
    (rows) => rows.length > 0,
  );
  expect(ended?.body.usage).toEqual({ cpuSeconds: 65, cents: 10 });
  expect(await triggerCycle(world, service)).toEqual({
    admitted: false,
    because: expect.stringContaining('10 cents today'),
  });
});
