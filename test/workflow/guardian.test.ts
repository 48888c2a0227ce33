import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PawlError } from '../../contracts/failures.ts';
import type { GuardianInput } from '../../contracts/guardian.ts';
import { guardianId } from '../../contracts/ids.ts';
import {
  admitUpdate,
  approveUpdate,
  goldUpdate,
  guardianStatusQuery,
  killSignal,
  killUpdate,
  pauseSignal,
  pauseUpdate,
  rearmUpdate,
  resumeUpdate,
} from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually, guardianOf, runCycle, startCycle, statusOf, triggerCycle } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

let world: World;
let service: string;
let services = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.end());
beforeEach(async () => {
  service = `guard-${++services}`;
  await registerService(world.control, service);
  world.plan = testPlan();
  world.stages = stagesTo(challengerOf(service));
});

const person = { kind: 'person', name: 'tester' };
const state = () => world.control.state(service);
const status = () => guardianOf(world, service).query(guardianStatusQuery);
const gold = () => [{ variant: championOf(service), share: 1 }];

const startGuardian = (options: Omit<GuardianInput, 'service'>) =>
  world.client.workflow.start('guardian', {
    workflowId: guardianId(service),
    taskQueue: queues.control,
    args: [{ service, ...options }],
  });

/** Cycles that stand in training until the test lets them go. */
const holdTraining = () => {
  const held = door();
  const train = stagesTo(challengerOf(service)).train;
  world.stages = stagesTo(challengerOf(service), {
    train: async (input) => {
      await Promise.race([held.opened, Context.current().cancelled]);
      return train(input);
    },
  });
  return held;
};

describe('admission', () => {
  const refusal = async (name = service) => {
    const admission = await triggerCycle(world, name, 'schedule');
    return admission.admitted ? 'admitted' : admission.because;
  };

  test('is refused for a service that nobody has registered', async () => {
    expect(await refusal('nobody')).toContain('not known here');
  });

  test('is refused for a service without gold', async () => {
    const variant = championOf('bare');
    await world.control.addVariant({
      id: variant,
      service: 'bare',
      artifact: { uri: `artifact:sha256/${variant}`, sha256: variant },
      origin: 'hand',
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    await world.control.register({ key: 'bare', service: 'bare', champion: variant, actor: person, reason: 'test' });
    expect(await refusal('bare')).toContain('no gold variant');
  });

  test('is refused while the service is killed, and again possible after a signed rearm', async () => {
    await runCycle(world, service);
    await guardianOf(world, service).executeUpdate(killUpdate, { args: [{ by: 'ada', reason: 'it smells' }] });
    expect(await refusal()).toContain('killed (it smells)');
    const token = world.sign({ action: 'rearm', workflow: guardianId(service) });
    expect(await guardianOf(world, service).executeUpdate(rearmUpdate, { args: [{ token }] })).toMatchObject({
      accepted: true,
    });
    expect(await refusal()).toBe('admitted');
  });

  test('is refused when the configuration cannot be read, with the reason', async () => {
    Object.defineProperty(world, 'plan', {
      configurable: true,
      get: () => {
        throw brokenConfiguration();
      },
    });
    expect(await refusal()).toBe(
      'ConfigInvalid: pawl.yaml:14  gates.ndcg.drop: expected a percentage such as "3%", found "three"',
    );
    Object.defineProperty(world, 'plan', { configurable: true, writable: true, value: testPlan() });
  });

  test('keeps to the limits of cycles a day and of cycles at once', async () => {
    const held = holdTraining();
    world.plan = testPlan({ limits: { cyclesPerDay: 2, cooldownMs: 0, running: 1 } });
    const { handle } = await startCycle(world, service);
    expect(await refusal()).toContain('limits.running is 1');
    held.open();
    await handle.result();
    await eventually(status, ({ running }) => running.length === 0);
    await runCycle(world, service);
    await eventually(status, ({ running }) => running.length === 0);
    expect(await refusal()).toContain('limits.cyclesPerDay is 2');
  });

  test('cools down after a cycle that did something, except for a person', async () => {
    world.plan = testPlan({ limits: { cyclesPerDay: 100, cooldownMs: 3_600_000, running: 1 } });
    await runCycle(world, service);
    await eventually(status, ({ running }) => running.length === 0);
    expect(await refusal()).toContain('cooling down for another');
    expect(await triggerCycle(world, service, 'hand')).toMatchObject({ admitted: true });
  });

  test('gives the same request the same cycle, however often it comes', async () => {
    const request = { key: 'twice', trigger: 'gate', requestedBy: person, reason: 'test' } as const;
    await startCycle(world, service);
    const ask = (updateId: string) =>
      guardianOf(world, service).executeUpdate(admitUpdate, { args: [request], updateId });
    const first = await ask('a');
    expect(await ask('b')).toEqual(first);
    expect(await ask('a')).toEqual(first);
  });

  test('turns down what is no request, without a trace in its state', async () => {
    await startCycle(world, service);
    const before = (await status()).today.admitted;
    await expect(
      guardianOf(world, service).executeUpdate(admitUpdate, { args: [{ nonsense: true } as never] }),
    ).rejects.toThrow();
    expect((await status()).today.admitted).toBe(before);
  });
});

describe('the traffic lane', () => {
  test('is given to one cycle at a time, in the order of asking, and the second finds another champion', async () => {
    const watched = door();
    const { watch } = stagesTo(challengerOf(service));
    world.stages = stagesTo(challengerOf(service), { watch: async (input) => watched.opened.then(() => watch(input)) });
    const first = await startCycle(world, service);
    await eventually(status, ({ lane }) => lane.holder === first.cycle);
    const second = await startCycle(world, service);
    await eventually(status, ({ lane }) => lane.waiting.includes(second.cycle));
    watched.open();
    expect(await first.handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(await second.handle.result()).toMatchObject({
      outcome: 'rejected',
      because: 'the champion has changed since the evaluation',
    });
  });

  test('is not given while the service is paused, until a signed resume', async () => {
    const held = holdTraining();
    const { handle, cycle } = await startCycle(world, service);
    expect(
      await guardianOf(world, service).executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'lunch' }] }),
    ).toMatchObject({ accepted: true });
    held.open();
    await eventually(status, ({ lane }) => lane.waiting.includes(cycle));
    expect(
      await guardianOf(world, service).executeUpdate(resumeUpdate, { args: [{ token: 'made up' }] }),
    ).toMatchObject({ accepted: false });
    const token = world.sign({ action: 'resume', workflow: guardianId(service) });
    expect(await guardianOf(world, service).executeUpdate(resumeUpdate, { args: [{ token }] })).toMatchObject({
      accepted: true,
    });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('is taken back, with the traffic, from a cycle that somebody terminated', async () => {
    const { watch } = stagesTo(challengerOf(service));
    world.stages = stagesTo(challengerOf(service), {
      watch: async (input) => Context.current().cancelled.then(() => watch(input)),
    });
    await startGuardian({ lookAfterMs: 1_000 });
    const { handle, cycle } = await startCycle(world, service);
    await eventually(state, (now) => now?.arms.length === 2);
    await handle.terminate('by a test');
    await eventually(status, ({ last }) => last.some((end) => end.cycle === cycle));
    expect((await state())?.arms).toEqual(gold());
    expect((await world.control.ledger({ service, cycle })).filter(({ kind }) => kind === 'cycle ended')).toHaveLength(
      1,
    );
  });
});

describe('a kill', () => {
  test('by signal stops what runs, serves gold, and fences off a cycle that wakes up later', async () => {
    await runCycle(world, service);
    const held = holdTraining();
    const { handle } = await startCycle(world, service);
    const before = await state();
    await guardianOf(world, service).signal(killSignal, { by: 'ada', reason: 'it smells' });
    expect(await handle.result()).toMatchObject({ outcome: 'killed' });
    held.open();
    const after = await state();
    expect(after).toMatchObject({ latch: 'killed', because: 'it smells', arms: gold() });
    const stale = { epoch: before?.epoch ?? 0, promotion: before?.promotion ?? 0 };
    const late = {
      key: 'late',
      service,
      cycle: 'si_2026_01_01_001',
      token: stale,
      arms: [{ variant: challengerOf(service), share: 1 }],
      actor: person,
      reason: 'woke up late',
    };
    expect(await world.control.shift(late)).toMatchObject({ outcome: 'refused', because: 'stale epoch' });
    expect((await state())?.arms).toEqual(gold());
  });

  test('works although what came with it cannot be read', async () => {
    await runCycle(world, service);
    await world.client.workflowService.signalWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: guardianId(service) },
      signalName: 'kill',
      input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{ not json') }] },
    });
    await eventually(state, (now) => now?.latch === 'killed');
    expect((await status()).latch).toBe('killed');
  });

  test('on the store alone is adopted by the guardian when it next looks, and stops what runs', async () => {
    const held = holdTraining();
    const { handle } = await startCycle(world, service);
    await world.control.kill({ key: 'break-glass', service, actor: person, reason: 'Temporal is away' });
    await triggerCycle(world, service); // any look at the store will do
    expect(await handle.result()).toMatchObject({
      outcome: 'killed',
      because: expect.stringContaining('Temporal is away'),
    });
    held.open();
    expect(await status()).toMatchObject({ latch: 'killed', epoch: 1 });
  });

  test('is not undone by an unsigned or foreign rearm', async () => {
    await runCycle(world, service);
    await guardianOf(world, service).executeUpdate(killUpdate, { args: [{}] });
    for (const token of [
      '',
      'x',
      world.sign({ action: 'resume', workflow: guardianId(service) }),
      world.sign({ action: 'rearm', workflow: guardianId('other') }),
    ]) {
      expect(await guardianOf(world, service).executeUpdate(rearmUpdate, { args: [{ token }] })).toMatchObject({
        accepted: false,
      });
    }
    expect((await state())?.latch).toBe('killed');
  });
});

describe('approval', () => {
  const waiting = async () => {
    world.plan = testPlan({ approval: { expiresMs: 600_000 } });
    const started = await startCycle(world, service);
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
    expect(await approve(world.sign({ ...right, variant: championOf(service) }))).toMatchObject({ accepted: false });
    expect(await approve(world.sign({ ...right, evidence: '0'.repeat(64) }))).toMatchObject({ accepted: false });
    expect(await approve(world.sign({ ...right, step: 'watch' }))).toMatchObject({ accepted: false });
    expect(await approve(world.sign({ ...right, workflow: 'pawl:other' }))).toMatchObject({ accepted: false });
    expect(await approve(world.sign({ ...right, expiresAt: new Date(Date.now() - 1000).toISOString() }))).toMatchObject(
      { accepted: false },
    );
    expect(await approve(world.sign(right))).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('by a token pasted into the Web UI as a bare string works too', async () => {
    const { handle, approval } = await waiting();
    const { step, variant, evidence } = approval;
    await handle.signal(
      'approve',
      world.sign({ action: 'approve', workflow: handle.workflowId, step, variant, evidence }),
    );
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('can be refused without a signature, since that only restricts', async () => {
    const { handle } = await waiting();
    await handle.signal('reject', { by: 'ada', reason: 'not on a Friday' });
    expect(await handle.result()).toMatchObject({ outcome: 'rejected', because: 'not on a Friday (ada)' });
  });
});

test('gold is set by a signed message only', async () => {
  await runCycle(world, service);
  const variant = challengerOf(service);
  const set = (token: string) => guardianOf(world, service).executeUpdate(goldUpdate, { args: [{ variant, token }] });
  expect(await set('nonsense')).toMatchObject({ accepted: false });
  expect(
    await set(world.sign({ action: 'gold', workflow: guardianId(service), variant: championOf(service) })),
  ).toMatchObject({ accepted: false });
  expect((await state())?.gold).toBe(championOf(service));
  expect(await set(world.sign({ action: 'gold', workflow: guardianId(service), variant }))).toMatchObject({
    accepted: true,
  });
  expect((await state())?.gold).toBe(variant);
});

test('a guardian loses nothing of 5,000 messages over many runs, with a cycle in flight', async () => {
  const held = holdTraining();
  await startGuardian({ historyLimit: 500 });
  const { handle, cycle } = await startCycle(world, service);
  const guardian = guardianOf(world, service);
  const { firstExecutionRunId } = await guardian
    .describe()
    .then(({ raw }) => ({ firstExecutionRunId: raw.workflowExecutionInfo?.execution?.runId }));
  // Each pause leaves a row in the ledger, so that what was lost or done twice shows.
  await inParallel(5_000, 50, (n) => guardian.signal(pauseSignal, { by: `sender ${n}`, reason: 'load' }));
  const paused = () => world.control.ledger({ service }).then((rows) => rows.filter(({ kind }) => kind === 'paused'));
  const rows = await eventually(paused, (seen) => seen.length >= 5_000);
  expect(new Set(rows.map(({ actor }) => actor.name)).size).toBe(5_000);
  expect(rows).toHaveLength(5_000);
  expect((await guardian.describe()).runId).not.toBe(firstExecutionRunId);
  expect((await status()).running.map((one) => one.cycle)).toEqual([cycle]);
  const token = world.sign({ action: 'resume', workflow: guardianId(service) });
  await guardian.executeUpdate(resumeUpdate, { args: [{ token }] });
  held.open();
  expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  await eventually(status, ({ running }) => running.length === 0);
}, 300_000);

test('a guardian that was terminated is started anew by the next request, and counts on', async () => {
  const first = await startCycle(world, service);
  await first.handle.result();
  await guardianOf(world, service).terminate('by a test');
  const second = await startCycle(world, service);
  expect(second.cycle).not.toBe(first.cycle);
  expect(await second.handle.result()).toMatchObject({ outcome: 'rejected' }); // the challenger is the champion by now
});

/** Does the work for 1 to n, so many at once. */
const inParallel = async (n: number, atOnce: number, work: (n: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const lane = async () => {
    while (next < n) await work(++next);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
};

const brokenConfiguration = () =>
  new PawlError('ConfigInvalid', 'pawl.yaml:14  gates.ndcg.drop: expected a percentage such as "3%", found "three"');
