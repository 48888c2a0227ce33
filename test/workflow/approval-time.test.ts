/** Reminders, escalation and expiry, on a server that skips the hours between them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, approveUpdate, rejectUpdate } from '../../contracts/messages.ts';
import type { ApprovalPlan, CyclePlan } from '../../contracts/plan.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import { eventually, type StartedCycle, statusOf } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { timeSkippingServer } from '../support/temporal.ts';
import { type SkippedTime, skippedTime } from './skipped-time.ts';

const server = timeSkippingServer();
const HOUR = 3_600_000;

describe.skipIf(server === null)('an approval', () => {
  let world: SkippedTime;
  let handle: StartedCycle['handle'];
  let services = 0;
  beforeAll(async () => {
    world = await skippedTime(server ?? '');
  });
  afterAll(() => world.end());
  beforeEach(() => {
    services++;
  });

  const ask = async (
    approval: ApprovalPlan,
    notify = true,
    script: Partial<StageActivities> = {},
    plan: Partial<CyclePlan> = {},
  ) => {
    handle = await world.startCycle(`approval-${services}`, script, { approval, notify, ...plan });
    const { approval: asked } = await eventually(
      () => statusOf(handle),
      (now) => now.approval !== null,
    );
    if (!asked) throw new Error('unreachable');
    const { step, variant, evidence } = asked;
    const bound = { action: 'approve', workflow: handle.workflowId, step, variant, evidence } as const;
    return (by: 'grace' | 'joan'): Promise<Answer> =>
      handle.executeUpdate(approveUpdate, { args: [{ token: world.sign(bound, by) }] });
  };
  /** What they were told, and at which hour. */
  const told = () => world.told.map(({ type, minute }) => [type, minute / 60]);

  test('that nobody gives reminds every four hours, and expires after a day', async () => {
    await ask({ expiresMs: 24 * HOUR, remindMs: 4 * HOUR });
    expect(await handle.result()).toMatchObject({ outcome: 'expired' });
    const reminders = [4, 8, 12, 16, 20].map((hour) => ['approval.reminder', hour]);
    expect(told()).toEqual([['approval.asked', 0], ...reminders, ['approval.expired', 24]]);
  });

  test('that was given reminds nobody any more, however long the cycle goes on', async () => {
    const watch = { forMs: 10 * HOUR, samples: 10, maxDrop: 0.03 };
    const escalate = { afterMs: 6 * HOUR, roles: ['admin'] };
    const approve = await ask({ expiresMs: 24 * HOUR, remindMs: 4 * HOUR, escalate }, true, {}, { watch });
    await world.env.sleep(5 * HOUR);
    expect(await approve('grace')).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(told()).toEqual([
      ['approval.asked', 0],
      ['approval.reminder', 4],
      ['approval.decided', 5],
    ]);
  });

  test('that was given in vain expires all the same, and is in the last row', async () => {
    const approve = await ask({ expiresMs: 24 * HOUR, quorum: 2 }, false);
    expect(await approve('grace')).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'expired' });
    const { stages, approvals } = await statusOf(handle);
    expect(approvals).toMatchObject([{ person: 'grace' }]);
    expect(stages.find(({ stage }) => stage === 'approve')?.summary).toContain('1 of 2 had approved: grace (approver)');
  });

  test('that comes too late is refused, while the cycle is still on its way to its end', async () => {
    let late: Answer | null = null;
    const learn: StageActivities['learn'] = async (input) => {
      late = await approve('grace');
      return stagesTo('').learn(input);
    };
    const approve = await ask({ expiresMs: HOUR }, false, { learn });
    expect(await handle.result()).toMatchObject({ outcome: 'expired' });
    expect(late).toEqual({ accepted: false, because: 'nothing waits for a decision now' });
    expect(world.deciders).toEqual([]);
  });

  test('of one person counts once, even where nothing but the signature is checked', async () => {
    const approve = await ask({ expiresMs: 24 * HOUR, quorum: 2 });
    world.policed = false;
    expect(await approve('grace')).toEqual({ accepted: true, what: 'approved by grace, 1 of 2; waits for one more' });
    expect(await approve('grace')).toEqual({
      accepted: false,
      because: 'grace has approved already; waits for one more',
    });
    await handle.executeUpdate(rejectUpdate, { args: [{}] });
    await handle.result();
  });

  test('is escalated once, to the roles that the plan names', async () => {
    await ask({ expiresMs: 24 * HOUR, escalate: { afterMs: 6 * HOUR, roles: ['admin'] } });
    expect(await handle.result()).toMatchObject({ outcome: 'expired' });
    expect(told()).toEqual([
      ['approval.asked', 0],
      ['approval.escalated', 6],
      ['approval.expired', 24],
    ]);
    expect(world.told[1]?.roles).toEqual(['admin']);
  });

  test('is not escalated when the decision has been made', async () => {
    await ask({ expiresMs: 24 * HOUR, escalate: { afterMs: 6 * HOUR, roles: ['admin'] } });
    await world.env.sleep(HOUR);
    await handle.executeUpdate(rejectUpdate, { args: [{ by: 'bob', reason: 'no' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'rejected' });
    expect(told()).toEqual([
      ['approval.asked', 0],
      ['approval.decided', 1],
    ]);
  });

  test('is asked of the roles that the plan names, and after the escalation of the others too', async () => {
    const escalate = { afterMs: 6 * HOUR, roles: ['admin'] };
    const approve = await ask({ expiresMs: 24 * HOUR, quorum: 2, roles: ['approver'], escalate });
    await approve('grace');
    await world.env.sleep(7 * HOUR);
    await approve('joan');
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(world.deciders).toEqual([['approver'], ['approver', 'admin']]);
  });

  test('is asked of whomever the policy permits where the plan names no roles', async () => {
    const approve = await ask({ expiresMs: 24 * HOUR, escalate: { afterMs: HOUR, roles: ['admin'] } });
    await world.env.sleep(2 * HOUR);
    await approve('grace');
    await handle.result();
    expect(world.deciders).toEqual([null]);
  });

  test('whose notice cannot be delivered is tried five times, and a row says so', async () => {
    const approve = await ask({ expiresMs: 24 * HOUR });
    world.tellable = false;
    expect(await approve('grace')).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(world.noted.map(({ kind }) => kind)).toEqual(['cycle ended', 'notification failed']);
    expect(world.told.filter(({ type }) => type === 'approval.decided').length).toBe(5);
  });
});
