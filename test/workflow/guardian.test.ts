import { Context } from '@temporalio/activity';
import { describe, expect, test, vi } from 'vitest';
import { guardianId } from '../../contracts/ids.ts';
import { killSignal, killUpdate, pauseUpdate, rearmUpdate, resumeUpdate } from '../../contracts/messages.ts';
import { guardedService } from '../support/guarded-service.ts';
import { door, eventually, runCycle, startCycle, triggerCycle } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { challengerOf } from '../support/world.ts';

const scene = guardedService();
const person = { kind: 'person', name: 'tester' };

describe('the traffic lane', () => {
  test('is given to one cycle at a time, in the order of asking, and the second finds another champion', async () => {
    const watched = door();
    const { watch } = stagesTo(challengerOf(scene.service));
    scene.world.stages = stagesTo(challengerOf(scene.service), {
      watch: async (input) => watched.opened.then(() => watch(input)),
    });
    const first = await startCycle(scene.world, scene.service);
    await eventually(scene.status, ({ lane }) => lane.holder === first.cycle);
    const second = await startCycle(scene.world, scene.service);
    await eventually(scene.status, ({ lane }) => lane.waiting.includes(second.cycle));
    watched.open();
    expect(await first.handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(await second.handle.result()).toMatchObject({
      outcome: 'rejected',
      because: 'the champion has changed since the evaluation',
    });
  });

  test('is not given while the service is paused, until a signed resume', async () => {
    const held = scene.holdTraining();
    const { handle, cycle } = await startCycle(scene.world, scene.service);
    expect(await scene.guardian().executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'lunch' }] })).toMatchObject(
      { accepted: true },
    );
    held.open();
    await eventually(scene.status, ({ lane }) => lane.waiting.includes(cycle));
    expect(await scene.guardian().executeUpdate(resumeUpdate, { args: [{ token: 'made up' }] })).toMatchObject({
      accepted: false,
    });
    const token = scene.world.sign({ action: 'resume', workflow: guardianId(scene.service) });
    expect(await scene.guardian().executeUpdate(resumeUpdate, { args: [{ token }] })).toMatchObject({
      accepted: true,
    });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('is taken back, with the traffic, from a cycle that somebody terminated', async () => {
    const { watch } = stagesTo(challengerOf(scene.service));
    scene.world.stages = stagesTo(challengerOf(scene.service), {
      watch: async (input) => Context.current().cancelled.then(() => watch(input)),
    });
    await scene.startGuardian({ lookAfterMs: 1_000 });
    const { handle, cycle } = await startCycle(scene.world, scene.service);
    await eventually(scene.state, (now) => now?.arms.length === 2);
    await handle.terminate('by a test');
    await eventually(scene.status, ({ last }) => last.some((end) => end.cycle === cycle));
    expect((await scene.state())?.arms).toEqual(scene.gold());
    expect(
      (await scene.world.control.ledger({ service: scene.service, cycle })).filter(
        ({ kind }) => kind === 'cycle ended',
      ),
    ).toHaveLength(1);
  });
});

describe('a kill', () => {
  test('by signal stops what runs, serves gold, and fences off a cycle that wakes up later', async () => {
    await runCycle(scene.world, scene.service);
    const held = scene.holdTraining();
    const { handle } = await startCycle(scene.world, scene.service);
    const before = await scene.state();
    await scene.guardian().signal(killSignal, { by: 'ada', reason: 'it smells' });
    expect(await handle.result()).toMatchObject({ outcome: 'killed' });
    held.open();
    const after = await scene.state();
    expect(after).toMatchObject({ latch: 'killed', because: 'it smells', arms: scene.gold() });
    const stale = { epoch: before?.epoch ?? 0, promotion: before?.promotion ?? 0 };
    const late = {
      key: 'late',
      service: scene.service,
      cycle: 'si_2026_01_01_001',
      token: stale,
      arms: [{ variant: challengerOf(scene.service), share: 1 }],
      actor: person,
      reason: 'woke up late',
    };
    expect(await scene.world.control.shift(late)).toMatchObject({ outcome: 'refused', because: 'stale epoch' });
    expect((await scene.state())?.arms).toEqual(scene.gold());
  });

  test('works although what came with it cannot be read', async () => {
    await runCycle(scene.world, scene.service);
    await scene.world.client.workflowService.signalWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: guardianId(scene.service) },
      signalName: 'kill',
      input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{ not json') }] },
    });
    await eventually(scene.state, (now) => now?.latch === 'killed');
    await eventually(scene.status, ({ latch }) => latch === 'killed');
  });

  test('is not forgotten over what the store was asked before it', async () => {
    await scene.startGuardian({});
    await eventually(scene.status, ({ latch }) => latch === 'armed');
    const { control } = scene.world;
    const [read, killed] = [door(), door()];
    const state = vi.spyOn(control, 'state').mockImplementationOnce(async (service) => {
      const armed = await control.state(service);
      await read.opened;
      return armed;
    });
    const kill = vi.spyOn(control, 'kill').mockImplementationOnce(async (order) => {
      await killed.opened;
      return control.kill(order);
    });
    const asked = triggerCycle(scene.world, scene.service);
    await eventually(
      () => state.mock.calls.length,
      (calls) => calls > 0,
    );
    await scene.guardian().signal(killSignal, { by: 'ada', reason: 'it smells' });
    await eventually(
      () => kill.mock.calls.length,
      (calls) => calls > 0,
    );
    read.open();
    expect(await asked).toMatchObject({ admitted: false, because: expect.stringContaining('it smells') });
    expect(await scene.status()).toMatchObject({ latch: 'killed' });
    killed.open();
    await eventually(scene.state, (now) => now?.latch === 'killed');
  });

  test('on the store alone is adopted by the guardian when it next looks, and stops what runs', async () => {
    const held = scene.holdTraining();
    const { handle } = await startCycle(scene.world, scene.service);
    await scene.world.control.kill({
      key: 'break-glass',
      service: scene.service,
      actor: person,
      reason: 'Temporal is away',
    });
    await triggerCycle(scene.world, scene.service); // any look at the store will do
    expect(await handle.result()).toMatchObject({
      outcome: 'killed',
      because: expect.stringContaining('Temporal is away'),
    });
    held.open();
    expect(await scene.status()).toMatchObject({ latch: 'killed', epoch: 1 });
  });

  test('is not undone by an unsigned or foreign rearm', async () => {
    await runCycle(scene.world, scene.service);
    await scene.guardian().executeUpdate(killUpdate, { args: [{}] });
    for (const token of [
      '',
      'x',
      scene.world.sign({ action: 'resume', workflow: guardianId(scene.service) }),
      scene.world.sign({ action: 'rearm', workflow: guardianId('other') }),
    ]) {
      expect(await scene.guardian().executeUpdate(rearmUpdate, { args: [{ token }] })).toMatchObject({
        accepted: false,
      });
    }
    expect((await scene.state())?.latch).toBe('killed');
  });
});
