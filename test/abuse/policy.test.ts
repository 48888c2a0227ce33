/** Who may do what, tried through the real workflows, by people whom the home knows. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cedarPolicy } from '../../adapters/policy/cedar.ts';
import { guardianId } from '../../contracts/ids.ts';
import { approveUpdate, type CycleEnd, goldUpdate, killUpdate, rearmUpdate } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { testPlan } from '../support/plan.ts';
import { shippedPolicy } from '../support/policy.ts';
import { door, eventually, guardianOf, type StartedCycle, startCycle, statusOf } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

let world: World;
let service: string;
let services = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.end());
beforeEach(async () => {
  service = `policed-${++services}`;
  await registerService(world.control, service);
  world.plan = testPlan({ approval: { expiresMs: 600_000 } });
  world.stages = stagesTo(challengerOf(service));
  world.policy = shippedPolicy;
});

type Sign = World['sign'];
const approveAs = async ({ handle }: StartedCycle, sign: Sign) => {
  const { approval } = await eventually(
    () => statusOf(handle),
    (status) => status.approval !== null,
  );
  const { step, variant, evidence } = approval ?? { step: null, variant: null, evidence: null };
  const token = sign({ action: 'approve', workflow: handle.workflowId, step, variant, evidence });
  return handle.executeUpdate(approveUpdate, { args: [{ token }] });
};
const noTrafficMoved = async () =>
  expect(await world.control.state(service)).toMatchObject({
    champion: championOf(service),
    arms: [{ variant: championOf(service), share: 1 }],
  });
const decisions = async () => (await world.control.ledger({ service, kind: 'decision' })).map(({ body }) => body);

test('abuse 22: a viewer promotes nothing, and is told who may', async () => {
  const started = await startCycle(world, service);
  const answer = await approveAs(started, await world.person(`vic-${service}`, 'viewer'));
  expect(answer).toEqual({ accepted: false, because: expect.stringContaining('admin, approver may') });
  expect(await decisions()).toContainEqual(
    expect.objectContaining({ action: 'approve', allowed: false, person: `vic-${service}` }),
  );
  const guardian = guardianOf(world, service);
  const vic = await world.person(`vic-too-${service}`, 'viewer');
  const variant = challengerOf(service);
  const gold = vic({ action: 'gold', workflow: guardianId(service), variant });
  expect(await guardian.executeUpdate(goldUpdate, { args: [{ variant, token: gold }] })).toMatchObject({
    accepted: false,
  });
  await noTrafficMoved();
  await started.handle.signal('abort');
  await started.handle.result();
});

test('abuse 23: nobody approves what they asked for, and somebody else does', async () => {
  const token = world.sign({ action: 'start', workflow: guardianId(service) });
  const admission = await world.client.workflow.execute('trigger', {
    workflowId: `${guardianId(service)}:trigger:own`,
    taskQueue: queues.control,
    args: [{ service, trigger: 'hand', requestedBy: { kind: 'person', name: 'ada' }, reason: 'mine', token }],
  });
  const handle = world.client.workflow.getHandle<() => Promise<CycleEnd>>(admission.workflowId);
  const started = { cycle: admission.cycle, handle };
  const answer = await approveAs(started, world.sign);
  expect(answer).toEqual({ accepted: false, because: expect.stringContaining('ada asked for this cycle') });
  await noTrafficMoved();
  const [admitted] = await world.control.ledger({ service, kind: 'cycle admitted' });
  expect(admitted?.actor).toEqual({ kind: 'person', name: 'ada' });

  expect(await approveAs(started, await world.person(`grace-${service}`, 'approver'))).toMatchObject({
    accepted: true,
  });
  expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  expect((await decisions()).map(({ action, allowed }) => [action, allowed])).toEqual([
    ['start', true],
    ['approve', false],
    ['approve', true],
    ['deploy', true],
    ['promote', true],
  ]);
});

test('abuse 25: policy engine down must deny: an approval is refused with the reason, and nothing moves', async () => {
  const started = await startCycle(world, service);
  world.policy = cedarPolicy({ home: world.home, load: () => Promise.reject(new Error('no WebAssembly here')) });
  expect(await approveAs(started, world.sign)).toEqual({
    accepted: false,
    because: expect.stringContaining('no WebAssembly here'),
  });
  world.policy = cedarPolicy({ home: world.home, shipped: temporaryFolder() });
  expect(await approveAs(started, world.sign)).toEqual({
    accepted: false,
    because: expect.stringContaining('schema.cedarschema'),
  });
  await noTrafficMoved();

  const guardian = guardianOf(world, service);
  expect(await guardian.executeUpdate(killUpdate, { args: [{ by: 'ada', reason: 'smoke' }] })).toMatchObject({
    accepted: true,
  });
  expect(await started.handle.result()).toMatchObject({ outcome: 'killed' });
  const token = world.sign({ action: 'rearm', workflow: guardianId(service) });
  expect(await guardian.executeUpdate(rearmUpdate, { args: [{ token }] })).toMatchObject({ accepted: false });
  expect(await world.control.state(service)).toMatchObject({ latch: 'killed' });
});

test('abuse 25: policy engine down in the middle of a promotion: it is refused, and the traffic is put back', async () => {
  const watched = door();
  world.plan = testPlan();
  world.stages = stagesTo(challengerOf(service), {
    watch: async (input) => watched.opened.then(() => stagesTo(challengerOf(service)).watch(input)),
  });
  const { handle } = await startCycle(world, service);
  await eventually(
    () => world.control.state(service),
    (state) => state?.arms.length === 2,
  );
  world.policy = {
    decide: async ({ id }) => ({ id, allowed: false, policies: [], because: 'it is down', bundle: '' }),
  };
  watched.open();
  expect(await handle.result()).toMatchObject({ outcome: 'failed', because: 'promotion was refused: it is down' });
  await noTrafficMoved();
});
