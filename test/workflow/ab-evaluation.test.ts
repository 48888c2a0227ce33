import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AbActivities, AbLook, AbReport } from '../../contracts/ab.ts';
import { abStatusQuery, lookSignal, lookUpdate, promoteSignal } from '../../contracts/ab-messages.ts';
import { PawlError } from '../../contracts/failures.ts';
import { pauseSignal, pauseUpdate, rejectSignal, resumeUpdate } from '../../contracts/messages.ts';
import { type AbHandle, abTo, looking, quickAb, type Subjects, startAb } from '../support/ab.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually } from '../support/requests.ts';
import { evidenceOf } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

let world: World;
let service: string;
let services = 0;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.end());

/** A service of its own, whose subjects are found at each look. */
const scene = async (
  subjects: Parameters<typeof looking>[1] | null = {},
  script: Partial<AbActivities> = {},
): Promise<void> => {
  service = `tried-${++services}`;
  await registerService(world.control, service);
  const lookAtArms = subjects === null ? {} : { lookAtArms: looking(world.control, subjects) };
  world.ab = abTo({ ...lookAtArms, ...script });
  world.plan = testPlan();
};
const better: Partial<Subjects> = { challenger: 0.5 };
/** So much that it shows, but not before it has its last share. */
const betterAtLast = (_: number, share: number): Partial<Subjects> => (share === 0.5 ? better : {});
const RAMP = ['ab 1: 1 %', 'ab 2: 5 %', 'ab 3: 10 %', 'ab 4: 25 %', 'ab 5: 50 %'];
const worse: Partial<Subjects> = { challenger: 0.3 };

const rows = () => world.control.ledger({ service });
const shifts = async () =>
  (await rows())
    .filter(({ kind, actor, body }) => kind === 'shift' && actor.kind === 'cycle' && body.outcome === 'done')
    .map(({ reason }) => reason);
const served = async () =>
  ((await world.control.state(service))?.arms ?? []).map(({ variant, share }) => [
    variant === championOf(service) ? 'champion' : variant === challengerOf(service) ? 'challenger' : variant,
    share,
  ]);
const CHAMPION_ALONE = [['champion', 1]];
const statusOf = (handle: AbHandle) => handle.query(abStatusQuery);
const looked = (handle: AbHandle, times: number) =>
  eventually(
    () => statusOf(handle),
    (status) => status.looked >= times,
  );

describe('an A/B evaluation', () => {
  test('says what it will take, ramps up, and leaves a better challenger with its share', async () => {
    const reports: AbReport[] = [];
    const keepAb = async (report: AbReport) => {
      reports.push(report);
      return evidenceOf('the report');
    };
    await scene(betterAtLast, { keepAb });
    const end = await (await startAb(world, service)).result();
    expect(end).toMatchObject({ outcome: 'better', evidence: evidenceOf('the report') });
    expect(end.finding).toMatchObject({ decision: 'promote', sentence: end.because });
    expect(await shifts()).toEqual(RAMP);
    expect(await served()).toEqual([
      ['champion', 0.5],
      ['challenger', 0.5],
    ]);
    expect(reports).toMatchObject([{ outcome: 'better', trial: { challenger: challengerOf(service) } }]);
    const [started] = await world.control.ledger({ service, kind: 'ab started' });
    expect(started).toMatchObject({
      cycle: 'si_2026_11_21_001',
      reason: expect.stringMatching(
        /^With your traffic this takes about 9 days\. It may take .+, so it will most likely end undecided: then the champion stays\.$/,
      ),
    });
    const [ended] = await world.control.ledger({ service, kind: 'ab ended' });
    expect(ended?.body).toMatchObject({ outcome: 'better', traffic: 'as it is', nth: 1, alpha: quickAb.alpha / 2 });
  });

  test('is looked at under the name by which the gateway logs it, from its first share on, for every metric once', async () => {
    const looks: AbLook[] = [];
    const find = looking(world.control, better);
    await scene(null, {
      lookAtArms: (look) => {
        looks.push(look);
        return find(look);
      },
    });
    const guardrails = [
      { metric: 'latency', margin: 0.1 },
      { metric: 'ndcg', margin: 0.1 },
    ];
    const handle = await startAb(world, service, { plan: { guardrails } });
    const { startedAt } = await looked(handle, 2);
    const [state] = await Promise.all([world.control.state(service), handle.cancel()]);
    await handle.result();
    expect(looks[0]).toMatchObject({
      experiment: `${state?.epoch}.${state?.promotion}`,
      metrics: ['ndcg', 'latency'],
      since: Date.parse(startedAt ?? ''),
      sums: null,
    });
    expect(looks[1]?.sums?.until).toBe(looks[0]?.now);
  });

  test('decides by the alpha that is left of the service', async () => {
    await scene({}, { alphaOf: async () => ({ alpha: 0.0123, nth: 7 }) });
    const handle = await startAb(world, service);
    expect((await looked(handle, 1)).plan).toMatchObject({ alpha: 0.0123 });
    await handle.cancel();
    await handle.result();
  });

  test('that is no better ends with the champion as soon as its time is over', async () => {
    await scene();
    const end = await (await startAb(world, service, { plan: { maximumMs: 1_500 } })).result();
    expect(end).toMatchObject({ outcome: 'kept' });
    expect(await served()).toEqual(CHAMPION_ALONE);
  });

  test('stops for harm, and puts traffic back before it writes that down', async () => {
    await scene(worse);
    const end = await (await startAb(world, service)).result();
    expect(end).toMatchObject({ outcome: 'harm', finding: { decision: 'stop for harm' } });
    expect(await served()).toEqual(CHAMPION_ALONE);
    expect((await rows()).map(({ kind, reason }) => (kind === 'shift' ? reason : kind)).slice(-2)).toEqual([
      'ab: back to the champion',
      'ab ended',
    ]);
  });

  test('is void where the subjects are not in the ratio that was dealt', async () => {
    await scene({ ...better, lost: 0.5 });
    expect(await (await startAb(world, service)).result()).toMatchObject({ outcome: 'void' });
    expect(await served()).toEqual(CHAMPION_ALONE);
  });

  test('without anybody to be seen gives the challenger no more than its first share', async () => {
    await scene(null);
    const handle = await startAb(world, service);
    await looked(handle, 5);
    expect(await shifts()).toEqual(['ab 1: 1 %']);
    await handle.cancel();
    await handle.result();
  });

  test('goes on where no expectation can be had', async () => {
    await scene(better, {
      expectAb: async () => {
        throw new PawlError('NoData', 'nobody asked anything yet');
      },
    });
    expect(await (await startAb(world, service)).result()).toMatchObject({ outcome: 'better' });
    const [started] = await world.control.ledger({ service, kind: 'ab started' });
    expect(started?.reason).toBe('How long it takes could not be told.');
  });

  test('whose report cannot be kept ends all the same', async () => {
    await scene(worse, {
      keepAb: async () => {
        throw new PawlError('Refused', 'no');
      },
    });
    expect(await (await startAb(world, service)).result()).toMatchObject({ outcome: 'harm', evidence: null });
  });

  test('that cannot be given its alpha fails, and has moved nothing', async () => {
    await scene(better, {
      alphaOf: async () => {
        throw new PawlError('Refused', 'it is spent');
      },
    });
    await expect((await startAb(world, service)).result()).rejects.toThrow();
    expect(await shifts()).toEqual([]);
    const [ended] = await world.control.ledger({ service, kind: 'ab ended' });
    expect(ended).toMatchObject({
      reason: 'Refused: it is spent',
      body: { outcome: 'failed', traffic: 'never moved' },
    });
  });

  test('says where it stands', async () => {
    await scene();
    const handle = await startAb(world, service, { plan: { ramp: [0.5] } });
    const status = await looked(handle, 2);
    expect(status).toMatchObject({ state: 'running', phase: { nth: 1, of: 1, share: 0.5 }, trouble: null, end: null });
    expect(status.finding?.estimates[0]).toMatchObject({ metric: 'ndcg', relative: { value: 0 } });
    expect(status.looks[0]).toMatchObject({ share: 0.5, decision: 'go on', subjects: 2_000, gain: { value: 0 } });
    await handle.cancel();
    expect((await handle.result()).outcome).toBe('aborted');
    expect(await statusOf(handle)).toMatchObject({ state: 'ended', end: { outcome: 'aborted' }, nextLookAt: null });
  });
});

describe('a look', () => {
  test('that cannot be taken is shown, gives nobody more, and promotes nobody', async () => {
    let broken = false;
    const find = looking(world.control, better);
    await scene(null, {
      lookAtArms: async (look) => {
        if (broken) throw new PawlError('ConfigInvalid', 'the log is not readable');
        return find(look);
      },
    });
    const handle = await startAb(world, service, { plan: { minimumMs: 2_000, maximumMs: 4_000 } });
    await looked(handle, 1);
    broken = true;
    await eventually(
      () => statusOf(handle),
      ({ trouble }) => trouble === 'ConfigInvalid: the log is not readable',
    );
    const before = await shifts();
    expect(await handle.result()).toMatchObject({
      outcome: 'kept',
      because: expect.stringContaining('cannot be read'),
    });
    expect(await shifts()).toEqual([...before, 'ab: back to the champion']);
  });

  test('is taken at once when somebody asks for one, and moves none of the others', async () => {
    await scene();
    const handle = await startAb(world, service, { plan: { lookMs: 3_600_000 } });
    await eventually(
      () => statusOf(handle),
      ({ phase }) => phase !== null,
    );
    const { nextLookAt } = await statusOf(handle);
    expect(await handle.executeUpdate(lookUpdate)).toMatchObject({ accepted: true });
    await looked(handle, 1);
    await handle.signal(lookSignal);
    await looked(handle, 2);
    expect(nextLookAt).not.toBeNull();
    await handle.cancel();
    await handle.result();
  });

  test('by a worker that was away comes late, and nothing is lost', async () => {
    await scene(better);
    const handle = await startAb(world, service);
    const { looked: before } = await looked(handle, 1);
    await world.stopWorkers();
    await world.startWorkers();
    expect(await handle.result()).toMatchObject({ outcome: 'better' });
    expect((await statusOf(handle)).looked).toBeGreaterThan(before);
    expect((await rows()).filter(({ kind }) => kind === 'ab started')).toHaveLength(1);
  });
});

describe('paused', () => {
  const resumed = (handle: AbHandle) => world.sign({ action: 'resume', workflow: handle.workflowId });

  test('it gives nobody more and decides nothing, and looks at once when a signature resumes it', async () => {
    await scene(better);
    const handle = await startAb(world, service);
    expect(await handle.executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'holidays' }] })).toMatchObject({
      accepted: true,
    });
    const { looked: before } = await statusOf(handle);
    await looked(handle, before + 5);
    expect((await statusOf(handle)).paused).toBe(true);
    expect(await shifts()).toEqual(['ab 1: 1 %']);
    expect(await handle.executeUpdate(resumeUpdate, { args: ['nonsense' as never] })).toMatchObject({
      accepted: false,
    });
    expect(await handle.executeUpdate(resumeUpdate, { args: [{ token: resumed(handle) }] })).toMatchObject({
      accepted: true,
    });
    expect(await handle.result()).toMatchObject({ outcome: 'better' });
  });

  test('it still stops for harm: what anybody may say must not keep harm going', async () => {
    await scene((nth) => (nth > 600 ? worse : {}));
    const handle = await startAb(world, service, { plan: { ramp: [0.1] } });
    await handle.signal(pauseSignal, { by: 'anybody' });
    expect(await handle.result()).toMatchObject({ outcome: 'harm' });
    expect(await served()).toEqual(CHAMPION_ALONE);
  });

  test('before it has begun it stays paused, and after it was continued as new too', async () => {
    const asked = door();
    await scene(better, {
      alphaOf: async ({ alpha }) => {
        await asked.opened;
        return { alpha, nth: 1 };
      },
    });
    const handle = await startAb(world, service, { historyLimit: 60 });
    await handle.executeUpdate(pauseUpdate, { args: [{}] });
    asked.open();
    await looked(handle, 12);
    expect((await handle.describe()).runId).not.toBe(handle.firstExecutionRunId);
    expect((await statusOf(handle)).paused).toBe(true);
    expect(await shifts()).toEqual(['ab 1: 1 %']);
    await handle.cancel();
    await handle.result();
  });
});

describe('traffic that it may not move', () => {
  test('after a kill ends it as refused, with the refusal', async () => {
    await scene(better);
    const handle = await startAb(world, service);
    await looked(handle, 1);
    const order = { service, actor: { kind: 'person', name: 'ada' }, reason: 'it burns' };
    await world.control.kill({ ...order, key: `${service}/kill` });
    const end = await handle.result();
    expect(end).toMatchObject({ outcome: 'refused', refusal: 'stale epoch' });
    const [ended] = await world.control.ledger({ service, kind: 'ab ended' });
    expect(ended?.body.traffic).toBe('left to others: stale epoch');
    expect(await served()).toEqual(CHAMPION_ALONE);
  });

  test('from the start on is never moved', async () => {
    await scene(better);
    const end = await (await startAb(world, service, { trial: { token: { epoch: 9, promotion: 9 } } })).result();
    expect(end).toMatchObject({ outcome: 'refused', refusal: 'stale epoch' });
    expect(await shifts()).toEqual([]);
  });
});

test('it continues as new between looks, and knows everything it knew', async () => {
  await scene(betterAtLast);
  const handle = await startAb(world, service, { historyLimit: 60 });
  const end = await handle.result();
  expect(end).toMatchObject({ outcome: 'better' });
  expect((await handle.describe()).runId).not.toBe(handle.firstExecutionRunId);
  expect(await shifts()).toEqual(RAMP);
  const status = await statusOf(handle);
  expect(status.looks.length).toBe(status.looked);
  expect(end.finding?.subjects.champion).toBe(status.looks.reduce((sum, { share }) => sum + 2_000 * share, 0));
  expect((await rows()).filter(({ kind }) => kind === 'ab started')).toHaveLength(1);
});

test('messages that are nothing it knows are shown and change nothing', async () => {
  await scene(better);
  const handle = await startAb(world, service);
  await handle.signal('extend');
  await handle.signal(promoteSignal, 'please' as never);
  await handle.signal(rejectSignal, { by: 'nobody' });
  expect(await handle.executeUpdate(resumeUpdate, { args: [null as never] })).toMatchObject({
    accepted: false,
    because: expect.stringContaining('pawl ab resume si_2026_11_21_001 --print'),
  });
  expect(await handle.result()).toMatchObject({ outcome: 'better' });
});
