/** How people are asked for a decision. What takes hours stands in approval-time.test.ts. */
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TriggerInput } from '../../contracts/guardian.ts';
import { triggerId } from '../../contracts/ids.ts';
import {
  type Admission,
  type Answer,
  type ApprovalRequest,
  abortUpdate,
  approveSignal,
  approveUpdate,
  guardianStatusQuery,
  killUpdate,
  pauseUpdate,
  rejectUpdate,
} from '../../contracts/messages.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import { quiet } from '../replay/walks/walk.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually, guardianOf, type StartedCycle, startCycle, statusOf } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { challengerOf, createWorld, registerService, type World } from '../support/world.ts';

const HOUR = 3_600_000;

let world: World;
let grace: World['sign'];
let services = 0;
beforeAll(async () => {
  world = await createWorld();
  grace = await world.person('grace', 'approver');
});
afterAll(() => world.end());

interface Asked extends StartedCycle {
  readonly service: string;
  readonly approval: ApprovalRequest;
  /** A token for just this. */
  token(sign?: World['sign'], reason?: string): string;
  approve(token: string): Promise<Answer>;
  end(): Promise<Record<string, unknown>>;
}

/** A cycle that waits for people, of a service of its own. */
const asked = async (
  approval: CyclePlan['approval'],
  plan: Partial<CyclePlan> = {},
  start: (service: string) => Promise<StartedCycle> = (service) => startCycle(world, service),
): Promise<Asked> => {
  const service = `asks-${++services}`;
  await registerService(world.control, service);
  world.plan = testPlan({ approval, ...plan });
  world.stages = stagesTo(challengerOf(service));
  const started = await start(service);
  const { handle } = started;
  const status = await eventually(
    () => statusOf(handle),
    (now) => now.approval !== null,
  );
  if (!status.approval) throw new Error('unreachable');
  const { step, variant, evidence } = status.approval;
  return {
    ...started,
    service,
    approval: status.approval,
    token: (sign = world.sign, reason = 'looks right') =>
      sign({ action: 'approve', workflow: handle.workflowId, step, variant, evidence, reason }),
    approve: (token) => handle.executeUpdate(approveUpdate, { args: [{ token }] }),
    end: async () => {
      await handle.result();
      const rows = await world.control.ledger({ service });
      return rows.find(({ kind }) => kind === 'cycle ended')?.body ?? {};
    },
  };
};
const detailsOf = async ({ handle }: StartedCycle): Promise<string> =>
  (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '';

describe('where one approval is enough', () => {
  test('the first approval lets the cycle go on, and stays in its status and in its last row', async () => {
    const cycle = await asked({ expiresMs: HOUR });
    expect(cycle.approval).toMatchObject({ quorum: 1, approvals: [], requestedBy: { name: expect.any(String) } });
    expect(await cycle.approve(cycle.token())).toEqual({ accepted: true, what: 'approved by ada' });
    const ada = { person: 'ada', role: 'operator', reason: 'looks right', at: expect.any(String) };
    expect(await cycle.end()).toMatchObject({ outcome: 'promoted', approvals: [ada] });
    const { approval, approvals, stages } = await statusOf(cycle.handle);
    expect({ approval, approvals }).toEqual({ approval: null, approvals: [ada] });
    expect(stages.find(({ stage }) => stage === 'approve')?.summary).toBe('approved by ada (operator): looks right');
  });

  test('abuse 23: it is not that of the one who asked for the cycle', async () => {
    const cycle = await asked({ expiresMs: HOUR }, {}, async (service) => {
      const request = { service, trigger: 'hand', requestedBy: { kind: 'person', name: 'grace' }, reason: 'I want it' };
      const admission = await world.client.workflow.execute<(input: TriggerInput) => Promise<Admission>>('trigger', {
        workflowId: triggerId(service, 'by-grace'),
        taskQueue: queues.control,
        args: [request as TriggerInput],
      });
      if (!admission.admitted) throw new Error(admission.because);
      return { cycle: admission.cycle, handle: world.client.workflow.getHandle(admission.workflowId) };
    });
    expect(cycle.approval.requestedBy).toMatchObject({ name: 'grace' });
    expect(await cycle.approve(cycle.token(grace))).toEqual({
      accepted: false,
      because: expect.stringContaining('nobody approves what they asked for'),
    });
    expect(await cycle.approve(cycle.token())).toMatchObject({ accepted: true });
    expect(await cycle.end()).toMatchObject({ outcome: 'promoted', approvals: [{ person: 'ada' }] });
  });

  test('a plan that asks for nothing more tells nobody', async () => {
    const cycle = await asked({ expiresMs: HOUR });
    await cycle.approve(cycle.token());
    await cycle.end();
    expect(world.told(cycle.service)).toEqual([]);
  });
});

describe('a quorum of two', () => {
  const two = { expiresMs: HOUR, quorum: 2 };

  test('waits for a second person, who sees the first one’s approval, and names both in the end', async () => {
    const cycle = await asked(two);
    expect(await cycle.approve(cycle.token())).toEqual({
      accepted: true,
      what: 'approved by ada, 1 of 2; waits for one more',
    });
    const { approval, stage } = await statusOf(cycle.handle);
    expect({ approval, stage }).toMatchObject({ stage: 'approve', approval: { approvals: [{ person: 'ada' }] } });
    expect(await detailsOf(cycle)).toContain('ada (operator) approved at');
    expect(await cycle.approve(cycle.token(grace, 'so do I'))).toEqual({
      accepted: true,
      what: 'approved by grace, 2 of 2',
    });
    expect(await cycle.end()).toMatchObject({
      outcome: 'promoted',
      approvals: [{ person: 'ada' }, { person: 'grace' }],
    });
    expect(await detailsOf(cycle)).toContain('approved by ada (operator), grace (approver): looks right; so do I');
  });

  test('is not made of one person twice', async () => {
    const cycle = await asked(two);
    await cycle.approve(cycle.token());
    expect(await cycle.approve(cycle.token())).toMatchObject({ accepted: false });
    expect((await statusOf(cycle.handle)).approval?.approvals).toHaveLength(1);
    await cycle.approve(cycle.token(grace));
    expect(await cycle.end()).toMatchObject({ outcome: 'promoted' });
  });

  test('counts an approval once that is delivered twice, and answers the same', async () => {
    const cycle = await asked(two);
    const token = cycle.token();
    const first = await cycle.approve(token);
    expect(await cycle.approve(token)).toEqual(first);
    await cycle.handle.signal(approveSignal, { token });
    expect((await statusOf(cycle.handle)).approval?.approvals).toHaveLength(1);
    await cycle.approve(cycle.token(grace));
    expect(await cycle.end()).toMatchObject({ approvals: [{ person: 'ada' }, { person: 'grace' }] });
  });

  test('counts each of many that come at once, and no more than it needs', async () => {
    const cycle = await asked(two);
    const answers = await Promise.all([cycle.token(), cycle.token(), cycle.token(grace)].map(cycle.approve));
    expect(answers.filter(({ accepted }) => accepted)).toHaveLength(2);
    expect(await cycle.end()).toMatchObject({ outcome: 'promoted', approvals: [{}, {}] });
  });

  test('is ended by one who rejects, and what was approved before stays visible', async () => {
    const cycle = await asked(two);
    await cycle.approve(cycle.token());
    const no = { by: 'bob', reason: 'not on a Friday' };
    expect(await cycle.handle.executeUpdate(rejectUpdate, { args: [no] })).toMatchObject({ accepted: true });
    expect(await cycle.end()).toMatchObject({
      outcome: 'rejected',
      because: 'not on a Friday (bob)',
      approvals: [{ person: 'ada' }],
    });
    const { stages } = await statusOf(cycle.handle);
    expect(stages.find(({ stage }) => stage === 'approve')?.summary).toBe(
      'rejected by bob: not on a Friday (1 of 2 had approved: ada (operator))',
    );
  });

  test('outlives its workers', async () => {
    const cycle = await asked(two);
    await cycle.approve(cycle.token());
    await world.stopWorkers();
    await world.startWorkers();
    expect((await statusOf(cycle.handle)).approval?.approvals).toMatchObject([{ person: 'ada' }]);
    await cycle.approve(cycle.token(grace));
    expect(await cycle.end()).toMatchObject({ outcome: 'promoted', approvals: [{}, {}] });
  });
});

describe('while people are asked', () => {
  test('a refused message does not hide what they are asked for', async () => {
    const cycle = await asked({ expiresMs: HOUR });
    expect(await cycle.handle.executeUpdate(approveUpdate, { args: [{ token: 'ada said yes' }] })).toMatchObject({
      accepted: false,
    });
    await cycle.handle.signal('approve', 17);
    const details = await eventually(
      () => detailsOf(cycle),
      (shown) => shown.includes('refused message'),
    );
    expect(details).toContain('**waits for a person**');
    await cycle.handle.executeUpdate(abortUpdate, { args: [{}] });
    await cycle.end();
  });

  test('a kill ends it, and nothing waits for a decision any more', async () => {
    const cycle = await asked({ expiresMs: HOUR, quorum: 2, remindMs: HOUR / 4 }, { notify: true });
    await cycle.approve(cycle.token());
    await cycle.handle.executeUpdate(killUpdate, { args: [{ by: 'ada', reason: 'it smells' }] });
    expect(await cycle.end()).toMatchObject({ outcome: 'killed', approvals: [{ person: 'ada' }] });
    expect((await statusOf(cycle.handle)).approval).toBeNull();
  });

  test('a pause does not keep them from approving, and holds what comes after', async () => {
    const cycle = await asked({ expiresMs: HOUR });
    await cycle.handle.executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'lunch' }] });
    expect(await cycle.approve(cycle.token())).toMatchObject({ accepted: true });
    await eventually(
      () => guardianOf(world, cycle.service).query(guardianStatusQuery),
      ({ lane }) => lane.holder === cycle.cycle,
    );
    await quiet(cycle.handle);
    const { stages, paused } = await statusOf(cycle.handle);
    expect({ paused, last: stages.at(-1)?.stage }).toEqual({ paused: true, last: 'approve' });
    await cycle.handle.executeUpdate(abortUpdate, { args: [{}] });
    expect(await cycle.end()).toMatchObject({ outcome: 'aborted' });
  });
});

describe('people are told', () => {
  test('that they are asked, with what is to be approved and what to type, and what was decided', async () => {
    const cycle = await asked({ expiresMs: HOUR }, { notify: true });
    await cycle.approve(cycle.token());
    await cycle.end();
    const [first, last, ...more] = world.told(cycle.service);
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      type: 'approval.asked',
      cycle: cycle.cycle,
      approval: cycle.approval,
      command: expect.stringContaining(`pawl approve ${cycle.cycle} --service ${cycle.service}`),
    });
    expect(last).toMatchObject({ type: 'approval.decided', text: expect.stringContaining('approved by ada') });
    expect(last?.command).toBeUndefined();
    expect(first?.key).not.toBe(last?.key);
  });

  test('while the cycle goes on', async () => {
    const heard = door();
    world.notify = () => heard.opened;
    try {
      const cycle = await asked({ expiresMs: HOUR }, { notify: true });
      await cycle.approve(cycle.token());
      await eventually(
        () => world.control.state(cycle.service),
        (state) => state?.champion === challengerOf(cycle.service),
      );
      heard.open();
      expect(await cycle.end()).toMatchObject({ outcome: 'promoted' });
    } finally {
      world.notify = async () => undefined;
    }
  });

  test.for([
    ['rolled back', 'cycle.rolled-back'],
    ['failed', 'cycle.failed'],
  ] as const)('that a cycle ended as %s', async ([outcome, type]) => {
    const service = `asks-${++services}`;
    await registerService(world.control, service);
    world.plan = testPlan({ notify: true });
    const { watch } = stagesTo('');
    world.stages = stagesTo(challengerOf(service), {
      watch: async (input) => {
        if (outcome === 'failed') await world.control.grant(overtaking(service));
        return { ...(await watch(input)), state: outcome === 'failed' ? 'healthy' : 'degraded' };
      },
    });
    const { handle } = await startCycle(world, service);
    expect(await handle.result()).toMatchObject({ outcome });
    expect(world.told(service)).toMatchObject([{ type, text: expect.stringContaining(`ended as ${outcome}`) }]);
  });

  test('and where that fails the cycle goes on, and the ledger says so', async () => {
    world.notify = async () => {
      throw ApplicationFailure.nonRetryable('the receiver hung up');
    };
    try {
      const cycle = await asked({ expiresMs: HOUR }, { notify: true });
      expect(await cycle.approve(cycle.token())).toMatchObject({ accepted: true });
      expect(await cycle.end()).toMatchObject({ outcome: 'promoted' });
      const failed = (await world.control.ledger({ service: cycle.service })).filter(
        ({ kind }) => kind === 'notification failed',
      );
      expect(failed.map(({ reason, body }) => [reason, body.type])).toEqual([
        [expect.stringContaining('the receiver hung up'), 'approval.asked'],
        [expect.stringContaining('the receiver hung up'), 'approval.decided'],
      ]);
    } finally {
      world.notify = async () => undefined;
    }
  });
});

const overtaking = (service: string) => ({
  key: `${service}/overtaking`,
  service,
  cycle: 'another',
  actor: { kind: 'person', name: 'tester' },
  reason: 'another cycle overtakes it',
});
