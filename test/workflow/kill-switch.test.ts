import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { killSwitchStart } from '../../adapters/temporal/guardian.ts';
import { guardianId, KILL_SWITCH_ID } from '../../contracts/ids.ts';
import {
  type Answer,
  guardianStatusQuery,
  killSwitchStatusQuery,
  killUpdate,
  rearmUpdate,
} from '../../contracts/messages.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually, guardianOf, type StartedCycle, startCycle, triggerCycle } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

const bound = { actor: { kind: 'person', name: 'tester' }, reason: 'the next test' };
let world: World;
let tests = 0;
/** Two services that no other test knows, armed. */
let a: string;
let b: string;
let both: readonly string[];

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.end());
beforeEach(async () => {
  const n = ++tests;
  [a, b] = [`fleet-a${n}`, `fleet-b${n}`];
  both = [a, b];
  await world.control.liftAll({ ...bound, key: `before/${n}` });
  for (const service of both) await registerService(world.control, service);
  world.plan = testPlan();
});

const fleetStatus = () => world.client.workflow.getHandle(KILL_SWITCH_ID).query(killSwitchStatusQuery);
const state = (service: string) => world.control.state(service);
const latchOf = (service: string) => async () => (await state(service))?.latch;

const killAll = (message: object): Promise<Answer> =>
  world.client.workflow.executeUpdateWithStart(killUpdate, {
    args: [message],
    startWorkflowOperation: killSwitchStart(),
  });
const rearm = (workflow: string, token = world.sign({ action: 'rearm', workflow })): Promise<Answer> =>
  world.client.workflow.getHandle(workflow).executeUpdate(rearmUpdate, { args: [{ token }] });

/** One cycle of each service, standing in training. */
const cyclesInTraining = async (): Promise<StartedCycle[]> => {
  const reached = both.map(() => door());
  const train: StageActivities['train'] = async ({ service }) => {
    reached[both.indexOf(service)]?.open();
    return Context.current().cancelled;
  };
  world.stages = stagesTo(challengerOf(a), { train });
  const started = await Promise.all(both.map((service) => startCycle(world, service)));
  await Promise.all(reached.map(({ opened }) => opened));
  return started;
};

test('a kill of the fleet stops the cycles of every service, and gold serves each', async () => {
  const cycles = await cyclesInTraining();
  expect(await killAll({ by: 'ada', reason: 'all of it smells' })).toEqual({
    accepted: true,
    what: expect.stringContaining(`${a}, ${b}`),
  });
  for (const { handle } of cycles) {
    expect(await handle.result()).toMatchObject({ outcome: 'killed', because: expect.stringContaining('all of it') });
  }
  for (const service of both) {
    expect(await state(service)).toMatchObject({ latch: 'killed', arms: [{ variant: championOf(service), share: 1 }] });
  }
});

test('every guardian adopts the kill, and admits nothing', async () => {
  await cyclesInTraining();
  await killAll({ by: 'ada', reason: 'all of it smells' });
  for (const service of both) {
    const views = async () => ({
      guardian: await guardianOf(world, service).query(guardianStatusQuery),
      store: await state(service),
    });
    await eventually(views, ({ guardian, store }) => guardian.latch === 'killed' && guardian.epoch === store?.epoch);
    expect(await triggerCycle(world, service)).toMatchObject({ admitted: false });
  }
});

test('no service can be armed before the fleet is, and then each only by a token of its own', async () => {
  await cyclesInTraining();
  await killAll({ by: 'ada', reason: 'all of it smells' });
  expect(await rearm(guardianId(a))).toEqual({ accepted: false, because: 'killed' });

  expect(await rearm(KILL_SWITCH_ID)).toMatchObject({ accepted: true });
  for (const service of both) expect((await state(service))?.latch).toBe('killed');

  const token = world.sign({ action: 'rearm', workflow: guardianId(a) });
  expect(await rearm(guardianId(b), token)).toMatchObject({ accepted: false });
  expect(await rearm(guardianId(a), token)).toMatchObject({ accepted: true });
  expect(await Promise.all(both.map((service) => latchOf(service)()))).toEqual(['armed', 'killed']);
});

test('the fleet is not rearmed without a signature, nor by a token that is for something else or was used', async () => {
  await killAll({});
  const used = world.sign({ action: 'rearm', workflow: KILL_SWITCH_ID });
  expect(await rearm(KILL_SWITCH_ID, used)).toMatchObject({ accepted: true });
  await killAll({});
  const wrong = [
    '',
    'made up',
    used,
    world.sign({ action: 'rearm', workflow: guardianId(a) }),
    world.sign({ action: 'resume', workflow: KILL_SWITCH_ID }),
  ];
  for (const token of wrong) expect(await rearm(KILL_SWITCH_ID, token)).toMatchObject({ accepted: false });
  expect(await world.control.fleetKilled()).toBe(true);
  expect(await fleetStatus()).toMatchObject({ killed: true, services: expect.arrayContaining([...both]) });
});

test.for([
  { what: 'a bare word', data: '"now!"', because: 'now!' },
  { what: 'something that is no JSON', data: '{ not json', because: 'no reason given' },
])('a kill of the fleet by signal works with $what in it', async ({ data, because }) => {
  await world.client.workflow.signalWithStart('killSwitch', {
    workflowId: KILL_SWITCH_ID,
    taskQueue: 'pawl-control',
    args: [{}],
    signal: 'no-such-message',
  });
  await world.client.workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: KILL_SWITCH_ID },
    signalName: 'kill',
    input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(data) }] },
  });
  for (const service of both) await eventually(latchOf(service), (latch) => latch === 'killed');
  await eventually(fleetStatus, (fleet) => fleet.killed && fleet.because === `${because} (unknown)`);
});

test('a service that becomes known while the fleet is killed is killed from the start', async () => {
  await killAll({ by: 'ada', reason: 'all of it smells' });
  const service = 'late';
  const variant = { id: championOf(service), service, artifact: { uri: 'artifact:late', sha256: championOf(service) } };
  await world.control.addVariant({ ...variant, origin: 'hand', createdAt: '2026-01-01T00:00:00.000Z' });
  await world.control.register({ ...bound, key: 'late', service, champion: variant.id });
  expect((await state(service))?.latch).toBe('killed');
});
