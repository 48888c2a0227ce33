import { describe, expect, test } from 'vitest';
import { guardianId } from '../../contracts/ids.ts';
import { approveUpdate, goldUpdate, pauseSignal, resumeUpdate } from '../../contracts/messages.ts';
import { guardedService } from '../support/guarded-service.ts';
import { testPlan } from '../support/plan.ts';
import { eventually, runCycle, startCycle, statusOf } from '../support/requests.ts';
import { challengerOf, championOf } from '../support/world.ts';

const scene = guardedService();

describe('approval', () => {
  const waiting = async () => {
    scene.world.plan = testPlan({ approval: { expiresMs: 600_000 } });
    const started = await startCycle(scene.world, scene.service);
    const { approval } = await eventually(
      () => statusOf(started.handle),
      (now) => now.approval !== null,
    );
    if (!approval) throw new Error('unreachable');
    return { ...started, approval };
  };

  test('needs a token for this very step, variant and evidence, and works once', async () => {
    const { handle, approval } = await waiting();
    const workflow = handle.workflowId;
    const { step, variant, evidence } = approval;
    const approve = (token: string) => handle.executeUpdate(approveUpdate, { args: [{ token }] });
    const right = { action: 'approve', workflow, step, variant, evidence } as const;
    expect(await approve(scene.world.sign({ ...right, variant: championOf(scene.service) }))).toMatchObject({
      accepted: false,
    });
    expect(await approve(scene.world.sign({ ...right, evidence: '0'.repeat(64) }))).toMatchObject({ accepted: false });
    expect(await approve(scene.world.sign({ ...right, step: 'watch' }))).toMatchObject({ accepted: false });
    expect(await approve(scene.world.sign({ ...right, workflow: 'pawl:other' }))).toMatchObject({ accepted: false });
    expect(
      await approve(scene.world.sign({ ...right, expiresAt: new Date(Date.now() - 1000).toISOString() })),
    ).toMatchObject({ accepted: false });
    expect(await approve(scene.world.sign(right))).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('by a token pasted into the Web UI as a bare string works too', async () => {
    const { handle, approval } = await waiting();
    const { step, variant, evidence } = approval;
    await handle.signal(
      'approve',
      scene.world.sign({ action: 'approve', workflow: handle.workflowId, step, variant, evidence }),
    );
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('can be refused without a signature, since that only restricts', async () => {
    const { handle } = await waiting();
    await handle.signal('reject', { by: 'ada', reason: 'not on a Friday' });
    expect(await handle.result()).toMatchObject({ outcome: 'rejected', because: 'not on a Friday (ada)' });
  });
});

test('no message stops the guardian, whatever it brings', async () => {
  await scene.startGuardian({});
  const guardian = scene.guardian();
  for (const name of ['kill', 'pause', 'resume', 'rearm', 'report', 'nonsense']) {
    await guardian.signal(name);
    await guardian.signal(name, 17, null);
    await guardian.signal(name, { cycle: {}, end: [], token: {}, reason: {} });
  }
  for (const name of ['lane', 'gold', 'resume', 'rearm', 'pause', 'kill']) {
    await guardian.executeUpdate(name);
    await guardian.executeUpdate(name, { args: [{ cycle: {}, token: {}, variant: 17 }] });
  }
  await expect(guardian.executeUpdate('admit')).rejects.toThrow();
  expect(await scene.status()).toMatchObject({ latch: 'killed', paused: true });
});

test('gold is set by a signed message only', async () => {
  await runCycle(scene.world, scene.service);
  const variant = challengerOf(scene.service);
  const set = (token: string) => scene.guardian().executeUpdate(goldUpdate, { args: [{ variant, token }] });
  expect(await set('nonsense')).toMatchObject({ accepted: false });
  expect(
    await set(
      scene.world.sign({ action: 'gold', workflow: guardianId(scene.service), variant: championOf(scene.service) }),
    ),
  ).toMatchObject({ accepted: false });
  expect((await scene.state())?.gold).toBe(championOf(scene.service));
  expect(await set(scene.world.sign({ action: 'gold', workflow: guardianId(scene.service), variant }))).toMatchObject({
    accepted: true,
  });
  expect((await scene.state())?.gold).toBe(variant);
});

test('a guardian loses nothing of 5,000 messages over many runs, with a cycle in flight', async () => {
  const held = scene.holdTraining();
  await scene.startGuardian({ historyLimit: 500 });
  const { handle, cycle } = await startCycle(scene.world, scene.service);
  const guardian = scene.guardian();
  const { firstExecutionRunId } = await guardian
    .describe()
    .then(({ raw }) => ({ firstExecutionRunId: raw.workflowExecutionInfo?.execution?.runId }));
  // Each pause leaves a row in the ledger, so that what was lost or done twice shows.
  await inParallel(5_000, 50, (n) => guardian.signal(pauseSignal, { by: `sender ${n}`, reason: 'load' }));
  const paused = () =>
    scene.world.control.ledger({ service: scene.service }).then((rows) => rows.filter(({ kind }) => kind === 'paused'));
  const rows = await eventually(paused, (seen) => seen.length >= 5_000);
  expect(new Set(rows.map(({ actor }) => actor.name)).size).toBe(5_000);
  expect(rows).toHaveLength(5_000);
  expect((await guardian.describe()).runId).not.toBe(firstExecutionRunId);
  expect((await scene.status()).running.map((one) => one.cycle)).toEqual([cycle]);
  const token = scene.world.sign({ action: 'resume', workflow: guardianId(scene.service) });
  await guardian.executeUpdate(resumeUpdate, { args: [{ token }] });
  held.open();
  expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  await eventually(scene.status, ({ running }) => running.length === 0);
}, 300_000);

/** Does the work for 1 to n, so many at once. */
const inParallel = async (n: number, atOnce: number, work: (n: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const lane = async () => {
    while (next < n) await work(++next);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
};
