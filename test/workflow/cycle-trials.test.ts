/** A cycle whose plan has trials in live traffic: what they come to is what it ends with. */
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AbActivities } from '../../contracts/ab.ts';
import type { CanaryActivities, CanaryStep } from '../../contracts/canary.ts';
import { guardianId, triggerId, watchWorkflowId } from '../../contracts/ids.ts';
import { type Admission, abortUpdate, type CycleEnd, killSignal } from '../../contracts/messages.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import type { WatchEnd } from '../../contracts/watch.ts';
import { abTo, looking, quickAb } from '../support/ab.ts';
import { analysisOf, canaryPlan, canaryTo, measured } from '../support/canary.ts';
import { testPlan } from '../support/plan.ts';
import { eventually, runCycle, startCycle, statusOf } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

let world: World;
let service: string;
let services = 0;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.end());

const STEPS: readonly CanaryStep[] = [{ weight: 0.1 }, { analysis: 'errors' }];
/** Long enough to be stopped in. */
const WAITING: readonly CanaryStep[] = [{ weight: 0.1 }, { pauseMs: 600_000 }];

const scene = async (
  plan: Partial<CyclePlan>,
  canary: Partial<CanaryActivities> = {},
  ab: Partial<AbActivities> = {},
): Promise<void> => {
  service = `trial-${++services}`;
  await registerService(world.control, service);
  world.plan = testPlan({ canary: canaryPlan(STEPS), ...plan });
  world.stages = stagesTo(challengerOf(service));
  world.canary = canaryTo(world.control, canary);
  world.ab = abTo(ab);
};
const state = () => world.control.state(service);
const reasons = async (): Promise<readonly string[]> =>
  (await world.control.ledger({ service })).filter(({ kind }) => kind === 'shift').map(({ reason }) => reason);
const kinds = async () => (await world.control.ledger({ service })).map(({ kind }) => kind);
const alone = (variant: string) => [{ variant, share: 1 }];

test('a canary that goes through is the promotion', async () => {
  await scene({});
  expect(await runCycle(world, service)).toMatchObject({ outcome: 'promoted', champion: challengerOf(service) });
  expect(await reasons()).toEqual(['canary 1: 10 %', 'canary: promotion']);
  expect(await state()).toMatchObject({ champion: challengerOf(service), arms: alone(challengerOf(service)) });
  expect(await kinds()).toEqual(expect.arrayContaining(['canary ended', 'cycle ended']));
});

test('a canary that fails rolls the cycle back, and the champion serves alone', async () => {
  await scene({}, { measureCanary: measured(0.5) });
  expect(await runCycle(world, service)).toMatchObject({ outcome: 'rolled back', challenger: challengerOf(service) });
  expect(await state()).toMatchObject({ champion: championOf(service), arms: alone(championOf(service)) });
});

test('an A/B evaluation comes before the canary, and only what is better comes to it', async () => {
  const ab = { ...quickAb, minimumMs: 0, ramp: [0.5] };
  await scene({ ab }, {}, { lookAtArms: looking(world.control, { challenger: 0.6 }) });
  expect(await runCycle(world, service)).toMatchObject({ outcome: 'promoted' });
  expect(await reasons()).toEqual(['ab 1: 50 %', 'canary 1: 10 %', 'canary: promotion']);

  await scene({ ab: { ...ab, maximumMs: 300 } }, {}, { lookAtArms: looking(world.control) });
  expect(await runCycle(world, service)).toMatchObject({ outcome: 'kept', challenger: challengerOf(service) });
  expect(await reasons()).not.toContain('canary 1: 10 %');
  expect(await state()).toMatchObject({ champion: championOf(service), arms: alone(championOf(service)) });
});

test('harm in the A/B evaluation is a roll-back', async () => {
  const ab = { ...quickAb, ramp: [0.5] };
  await scene({ ab }, {}, { lookAtArms: looking(world.control, { challenger: 0.1 }) });
  expect(await runCycle(world, service)).toMatchObject({ outcome: 'rolled back' });
  expect(await state()).toMatchObject({ champion: championOf(service), arms: alone(championOf(service)) });
});

test('a cycle that is aborted in its canary ends aborted, after the canary has put traffic back', async () => {
  await scene({ canary: canaryPlan(WAITING, { background: { analysis: 'errors', fromStep: 0 } }) });
  const { handle } = await startCycle(world, service);
  await eventually(state, (now) => now?.arms.length === 2);
  await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'enough' }] });
  expect(await handle.result()).toMatchObject({ outcome: 'aborted', because: 'enough (ada)' });
  expect(await state()).toMatchObject({ champion: championOf(service), arms: alone(championOf(service)) });
  const told = await kinds();
  expect(told.indexOf('canary ended')).toBeLessThan(told.indexOf('cycle ended'));
});

test('a kill in the canary ends the cycle killed, and gold serves', async () => {
  await scene({ canary: canaryPlan(WAITING, { background: { analysis: 'errors', fromStep: 0 } }) });
  const { handle } = await startCycle(world, service);
  await eventually(state, (now) => now?.arms.length === 2);
  await world.client.workflow.getHandle(guardianId(service)).signal(killSignal, { by: 'ada', reason: 'fire' });
  expect(await handle.result()).toMatchObject({ outcome: 'killed' });
  expect(await state()).toMatchObject({ latch: 'killed', arms: alone(championOf(service)) });
});

test('where the champion fails by the same, gold takes over once the cycle has ended', async () => {
  await scene({}, { measureCanary: measured(0.5, 0.5) });
  // Gold is another variant than the champion that is broken.
  const order = { service, actor: { kind: 'person', name: 'ada' }, reason: 'for the test' };
  const [champion, gold] = [championOf(service), challengerOf(`${service}/gold`)];
  const artifact = { uri: `artifact:sha256/${gold}`, sha256: gold };
  await world.control.addVariant({
    id: gold,
    service,
    artifact,
    origin: 'hand',
    createdAt: '2026-01-01T00:00:00.000Z',
  });
  await world.control.setGold({ ...order, key: `${service}/other-gold`, variant: gold });
  expect(await state()).toMatchObject({ champion, gold });
  expect(await runCycle(world, service)).toMatchObject({ outcome: 'rolled back' });
  const after = await eventually(state, (now) => now?.champion === gold);
  expect(after?.arms).toEqual(alone(gold));
});

test('what was promoted is watched on after the cycle has ended', async () => {
  const watch = { forMs: 400, analysis: 'errors' };
  await scene({ canary: canaryPlan(STEPS, { watch, analyses: { errors: analysisOf() } }) });
  const { cycle, handle } = await startCycle(world, service);
  expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  const watching: WorkflowHandle<() => Promise<WatchEnd>> = world.client.workflow.getHandle(
    watchWorkflowId(service, cycle),
  );
  expect(await watching.result()).toMatchObject({ outcome: 'passed' });
  expect((await kinds()).at(-1)).toBe('watch ended');
});

test('a cycle that is given a challenger trains nothing, and proves that one', async () => {
  await scene({});
  const given = challengerOf(service);
  const never = async (): Promise<never> => {
    throw new Error('nothing is to be trained');
  };
  world.stages = stagesTo('0'.repeat(64), { train: never });
  const admission: Admission = await world.client.workflow.execute('trigger', {
    workflowId: triggerId(service, 'given'),
    taskQueue: queues.control,
    args: [{ service, trigger: 'gate', reason: 'made by hand', challenger: given }],
  });
  if (!admission.admitted) throw new Error(admission.because);
  const handle: WorkflowHandle<() => Promise<CycleEnd>> = world.client.workflow.getHandle(admission.workflowId);
  expect(await handle.result()).toMatchObject({ outcome: 'promoted', champion: given });
  expect((await statusOf(handle)).stages.map(({ stage }) => stage)).not.toContain('train');
});
