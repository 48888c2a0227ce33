import { describe, expect, test } from 'vitest';
import { PawlError } from '../../contracts/failures.ts';
import { guardianId } from '../../contracts/ids.ts';
import { admitUpdate, killUpdate, rearmUpdate } from '../../contracts/messages.ts';
import { guardedService } from '../support/guarded-service.ts';
import { testPlan } from '../support/plan.ts';
import { eventually, runCycle, startCycle, triggerCycle } from '../support/requests.ts';
import { championOf } from '../support/world.ts';

const scene = guardedService();
const person = { kind: 'person', name: 'tester' };

describe('admission', () => {
  const refusal = async (name = scene.service) => {
    const admission = await triggerCycle(scene.world, name, 'schedule');
    return admission.admitted ? 'admitted' : admission.because;
  };

  test('is refused for a service that nobody has registered', async () => {
    expect(await refusal('nobody')).toContain('not known here');
  });

  test('is refused for a service without gold', async () => {
    const variant = championOf('bare');
    await scene.world.control.addVariant({
      id: variant,
      service: 'bare',
      artifact: { uri: `artifact:sha256/${variant}`, sha256: variant },
      origin: 'hand',
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    await scene.world.control.register({
      key: 'bare',
      service: 'bare',
      champion: variant,
      actor: person,
      reason: 'test',
    });
    expect(await refusal('bare')).toContain('no gold variant');
  });

  test('is refused while the service is killed, and again possible after a signed rearm', async () => {
    await runCycle(scene.world, scene.service);
    await scene.guardian().executeUpdate(killUpdate, { args: [{ by: 'ada', reason: 'it smells' }] });
    expect(await refusal()).toContain('killed (it smells)');
    const token = scene.world.sign({ action: 'rearm', workflow: guardianId(scene.service) });
    expect(await scene.guardian().executeUpdate(rearmUpdate, { args: [{ token }] })).toMatchObject({
      accepted: true,
    });
    expect(await refusal()).toBe('admitted');
  });

  test('is refused when the configuration cannot be read, with the reason', async () => {
    Object.defineProperty(scene.world, 'plan', {
      configurable: true,
      get: () => {
        throw brokenConfiguration();
      },
    });
    expect(await refusal()).toBe(
      'ConfigInvalid: pawl.yaml:14  gates.ndcg.drop: expected a percentage such as "3%", found "three"',
    );
    Object.defineProperty(scene.world, 'plan', { configurable: true, writable: true, value: testPlan() });
  });

  test('keeps to the limits of cycles a day and of cycles at once', async () => {
    const held = scene.holdTraining();
    scene.world.plan = testPlan({ limits: { cyclesPerDay: 2, cooldownMs: 0, running: 1 } });
    const { handle } = await startCycle(scene.world, scene.service);
    expect(await refusal()).toContain('limits.running is 1');
    held.open();
    await handle.result();
    await eventually(scene.status, ({ running }) => running.length === 0);
    await runCycle(scene.world, scene.service);
    await eventually(scene.status, ({ running }) => running.length === 0);
    expect(await refusal()).toContain('limits.cyclesPerDay is 2');
  });

  test('cools down after a cycle that did something, except for a person', async () => {
    scene.world.plan = testPlan({ limits: { cyclesPerDay: 100, cooldownMs: 3_600_000, running: 1 } });
    await runCycle(scene.world, scene.service);
    await eventually(scene.status, ({ running }) => running.length === 0);
    expect(await refusal()).toContain('cooling down for another');
    expect(await triggerCycle(scene.world, scene.service, 'hand')).toMatchObject({ admitted: true });
  });

  test('gives the same request the same cycle, however often it comes', async () => {
    const request = { key: 'twice', trigger: 'gate', requestedBy: person, reason: 'test' } as const;
    await startCycle(scene.world, scene.service);
    const ask = (updateId: string) => scene.guardian().executeUpdate(admitUpdate, { args: [request], updateId });
    const first = await ask('a');
    expect(await ask('b')).toEqual(first);
    expect(await ask('a')).toEqual(first);
  });

  test('turns down what is no request, without a trace in its state', async () => {
    await startCycle(scene.world, scene.service);
    const before = (await scene.status()).today.admitted;
    await expect(
      scene.guardian().executeUpdate(admitUpdate, { args: [{ nonsense: true } as never] }),
    ).rejects.toThrow();
    expect((await scene.status()).today.admitted).toBe(before);
  });
});

test('a guardian that was terminated is started anew by the next request, and counts on', async () => {
  const first = await startCycle(scene.world, scene.service);
  await first.handle.result();
  await scene.guardian().terminate('by a test');
  const second = await startCycle(scene.world, scene.service);
  expect(second.cycle).not.toBe(first.cycle);
  expect(await second.handle.result()).toMatchObject({ outcome: 'rejected' }); // the challenger is the champion by now
});

const brokenConfiguration = () =>
  new PawlError('ConfigInvalid', 'pawl.yaml:14  gates.ndcg.drop: expected a percentage such as "3%", found "three"');
