/** What takes minutes, hours or days, on a server that skips them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { guardianId } from '../../contracts/ids.ts';
import {
  type Admission,
  admitUpdate,
  guardianStatusQuery,
  pauseUpdate,
  resumeUpdate,
  skipUpdate,
} from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import type { StageActivities, Watching } from '../../contracts/stages.ts';
import { eventually, statusOf } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { timeSkippingServer } from '../support/temporal.ts';
import { registerService } from '../support/world.ts';
import { longPlan, type SkippedTime, skippedTime } from './skipped-time.ts';

const server = timeSkippingServer();
const standard = stagesTo('0'.repeat(64));
const [MINUTE, HOUR] = [60_000, 3_600_000] as const;

describe.skipIf(server === null)('time', () => {
  let world: SkippedTime;
  let service: string;
  let services = 0;
  beforeAll(async () => {
    world = await skippedTime(server ?? '');
  });
  afterAll(() => world.end());
  beforeEach(() => {
    service = `time-${++services}`;
  });

  test('an approval that nobody gives within 24 hours ends the cycle as expired, and not sooner', async () => {
    const handle = await world.startCycle(service, {}, { approval: { expiresMs: 24 * HOUR } });
    expect(await handle.result()).toMatchObject({ outcome: 'expired', because: 'no decision came in time (nobody)' });
    expect(world.noted).toEqual([{ kind: 'cycle ended', minute: 24 * 60 }]);
  });

  test('a promise of 15 minutes breaks at 15 minutes and is noted then, although the stage takes longer', async () => {
    const train: StageActivities['train'] = async (input) => {
      await world.env.sleep(20 * MINUTE);
      return { ...(await standard.train(input)), challenger: null };
    };
    const promises = { diagnose: 15 * MINUTE, train: 15 * MINUTE };
    const handle = await world.startCycle(service, { train }, { promises });
    await handle.result();
    expect(world.noted).toEqual([
      { kind: 'promise broken', minute: 15 },
      { kind: 'cycle ended', minute: 20 },
    ]);
    expect((await statusOf(handle)).promises.map(({ stage, kept }) => [stage, kept])).toEqual([
      ['diagnose', true],
      ['train', false],
    ]);
  });

  describe('watching for 10 minutes', () => {
    const forMs = 10 * MINUTE;
    const watch = { forMs, samples: 10, maxDrop: 0.03 };
    /** The minutes at which the challenger was looked at. */
    const looks: number[] = [];
    beforeEach(() => {
      looks.length = 0;
    });
    const seeing =
      (state: Watching['state'], meanwhile: () => Promise<unknown> = async () => undefined): StageActivities['watch'] =>
      async (input) => {
        looks.push(await world.minutes());
        await meanwhile();
        return { ...(await standard.watch(input)), state, reasons: [`it was ${state}`] };
      };

    test('looks five times, and then promotes', async () => {
      const handle = await world.startCycle(service, { watch: seeing('healthy') }, { watch });
      expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
      expect(looks).toEqual([2, 4, 6, 8, 10]);
    });

    test('ends with the first look that finds it worse', async () => {
      const handle = await world.startCycle(service, { watch: seeing('degraded') }, { watch });
      expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
      expect(looks).toEqual([2]);
    });

    test('goes on for three times as long while there is no data, and then rolls back', async () => {
      const handle = await world.startCycle(service, { watch: seeing('no data') }, { watch });
      expect(await handle.result()).toMatchObject({ outcome: 'rolled back', because: 'it was no data' });
      expect(looks).toEqual(Array.from({ length: 15 }, (_, n) => 2 * (n + 1)));
    });

    test('ends early by a signed skip: one more look decides', async () => {
      const skip = async () => {
        const { workflowId } = handle;
        const token = world.sign({ action: 'skip', workflow: workflowId, step: 'watch' });
        if (looks.length === 1) await handle.executeUpdate(skipUpdate, { args: [{ token }] });
      };
      const handle = await world.startCycle(service, { watch: seeing('healthy', skip) }, { watch });
      expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
      expect(looks).toEqual([2, 2]);
    });
  });

  test('a cycle that was paused for days goes on after a signed resume', async () => {
    const diagnose: StageActivities['diagnose'] = async (input) => {
      await handle.executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'holidays' }] });
      return standard.diagnose(input);
    };
    const handle = await world.startCycle(service, { diagnose });
    await eventually(
      () => statusOf(handle),
      ({ stages }) => stages.at(-1)?.stage === 'diagnose' && stages.at(-1)?.state === 'done',
    );
    await world.env.sleep(72 * HOUR);
    expect((await statusOf(handle)).stages.at(-1)?.stage).toBe('diagnose');
    const token = world.sign({ action: 'resume', workflow: handle.workflowId });
    expect(await handle.executeUpdate(resumeUpdate, { args: [{ token }] })).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('a guardian cools down for an hour after a cycle that did something, and then admits again', async () => {
    await registerService(world.control, service);
    world.plan = longPlan({ limits: { cyclesPerDay: 10, cooldownMs: HOUR, running: 1 } });
    const guardian = await world.env.client.workflow.start('guardian', {
      workflowId: guardianId(service),
      taskQueue: queues.control,
      args: [{ service }],
    });
    const admit = (key: string): Promise<Admission> =>
      guardian.executeUpdate(admitUpdate, {
        args: [{ key, trigger: 'schedule', requestedBy: { kind: 'person', name: 'ada' }, reason: 'for the test' }],
      });
    const first = await admit('first');
    if (!first.admitted) throw new Error(first.because);
    await world.env.client.workflow.getHandle(first.workflowId).result();
    await eventually(
      () => guardian.query(guardianStatusQuery),
      ({ running }) => running.length === 0,
    );
    expect(await admit('too soon')).toMatchObject({ because: expect.stringContaining('cooling down') });
    await world.env.sleep(HOUR);
    expect(await admit('later')).toMatchObject({ admitted: true });
  });
});
