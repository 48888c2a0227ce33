/** An A/B evaluation as long as in life, on a server that skips time; every history goes through the replayer too. */
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AbStatus, abStatusQuery, lookUpdate } from '../../contracts/ab-messages.ts';
import { pauseUpdate, resumeUpdate } from '../../contracts/messages.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { type AbHandle, abTo, DAY, HOUR, looking, startAb, weekAb } from '../support/ab.ts';
import { testPlan } from '../support/plan.ts';
import { eventually } from '../support/requests.ts';
import { timeSkippingServer, workflowBundle } from '../support/temporal.ts';
import { challengerOf, registerService } from '../support/world.ts';
import { type SkippedTime, skippedTime } from './skipped-time.ts';

const server = timeSkippingServer();

describe.skipIf(server === null)('an A/B evaluation of weeks', () => {
  let world: SkippedTime;
  let service: string;
  let services = 0;
  let notedBefore = 0;
  beforeAll(async () => {
    world = await skippedTime(server ?? '');
  });
  afterAll(() => world.end());

  const start = async (
    subjects: Parameters<typeof looking>[1],
    input: Parameters<typeof startAb>[2] = {},
  ): Promise<AbHandle> => {
    service = `weeks-${++services}`;
    await registerService(world.control, service);
    world.plan = testPlan();
    world.ab = abTo({ lookAtArms: looking(world.control, subjects) });
    notedBefore = world.noted.length;
    const { client } = world.env;
    return startAb({ client, control: world.control }, service, { ...input, plan: { ...weekAb, ...input.plan } });
  };
  const replays = async (handle: AbHandle): Promise<void> => {
    const { runId } = await handle.describe();
    const history = await world.env.client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: workflowBundle(), dataConverter }, history, handle.workflowId);
  };
  /** From its first share to its last look. */
  const daysOf = ({ startedAt, looks }: AbStatus) =>
    Math.round((Date.parse(looks.at(-1)?.at ?? '') - Date.parse(startedAt ?? '')) / DAY);

  test('looks every hour for a week, gives the challenger more once a day, and promotes when the week is whole', async () => {
    const handle = await start({ challenger: 0.44, perLook: 1_000 });
    expect(await handle.result()).toMatchObject({ outcome: 'better', finding: { decision: 'promote' } });
    const status = await handle.query(abStatusQuery);
    const { looked, looks } = status;
    expect(looked).toBeGreaterThanOrEqual(7 * 24);
    expect(looked).toBeLessThanOrEqual(7 * 24 + weekAb.ramp.length);
    expect(looks.length).toBeLessThanOrEqual(120);
    expect(daysOf(status)).toBe(7);
    const shifts = await world.control.ledger({ service, kind: 'shift' });
    expect(shifts.map(({ reason }) => reason)).toEqual([
      ...['ab 1: 1 %', 'ab 2: 5 %', 'ab 3: 10 %', 'ab 4: 25 %', 'ab 5: 50 %'],
    ]);
    await replays(handle);
  });

  test('goes on beyond the week while nothing is shown, and ends with the champion after four of them', async () => {
    const handle = await start({ challenger: 0.405, perLook: 300, deviation: 0.4 }, { plan: { lookMs: 12 * HOUR } });
    expect(await handle.result()).toMatchObject({ outcome: 'kept' });
    expect(daysOf(await handle.query(abStatusQuery))).toBe(28);
    await replays(handle);
  });

  test('continues as new on its way, and forgets none of it', async () => {
    const handle = await start({ challenger: 0.44, perLook: 1_000 }, { historyLimit: 600 });
    const { finding } = await handle.result();
    expect((await handle.describe()).runId).not.toBe(handle.firstExecutionRunId);
    const { looked } = await handle.query(abStatusQuery);
    expect(looked).toBeGreaterThanOrEqual(7 * 24);
    // A day at each of the first four shares, and the rest at half of the subjects.
    expect(finding?.subjects.challenger).toBeGreaterThan(24 * (10 + 50 + 100 + 250) + 2 * 24 * 500);
    await replays(handle);
  });

  test('asks a person for two days after its time, and then puts the champion back', async () => {
    const plan = { undecided: 'ask', lookMs: 12 * HOUR } as const;
    const handle = await start({ deviation: 0.4, perLook: 300 }, { plan });
    expect(await handle.result()).toMatchObject({ outcome: 'expired' });
    const [started, ended] = world.noted.slice(notedBefore).filter(({ kind }) => kind.startsWith('ab '));
    expect(Math.round(((ended?.minute ?? 0) - (started?.minute ?? 0)) / (24 * 60))).toBe(30);
    await replays(handle);
  });

  test('that was paused for days keeps its share and its subjects, and has lost no time', async () => {
    const handle = await start({ challenger: 0.44, perLook: 1_000 });
    await eventually(
      () => handle.query(abStatusQuery),
      ({ phase }) => phase !== null,
    );
    await handle.executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'holidays' }] });
    await world.env.sleep(8 * DAY);
    const paused = await handle.query(abStatusQuery);
    expect(paused).toMatchObject({ paused: true, state: 'running', phase: { nth: 1 } });
    expect(paused.finding?.subjects.challenger).toBeGreaterThan(8 * 23 * 10);
    const arms = (await world.control.state(service))?.arms;
    expect(arms?.find(({ variant }) => variant === challengerOf(service))?.share).toBe(0.01);
    const token = world.sign({ action: 'resume', workflow: handle.workflowId });
    expect(await handle.executeUpdate(resumeUpdate, { args: [{ token }] })).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'better' });
    const looks = (await handle.query(abStatusQuery)).looked;
    expect(looks).toBeGreaterThanOrEqual(8 * 24);
    await replays(handle);
  });

  test('looks in between when it is asked to, and then again when it would have', async () => {
    const handle = await start({}, { plan: { lookMs: DAY, ramp: [0.5] } });
    await eventually(
      () => handle.query(abStatusQuery),
      ({ nextLookAt, phase }) => nextLookAt !== null && phase !== null,
    );
    const { nextLookAt } = await handle.query(abStatusQuery);
    await handle.executeUpdate(lookUpdate);
    const after = await eventually(
      () => handle.query(abStatusQuery),
      ({ looked }) => looked === 1,
    );
    expect(after.nextLookAt).toBe(nextLookAt);
    await handle.terminate();
  });
});
