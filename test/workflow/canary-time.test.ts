/** A canary as long as in life, on a server that skips time. */
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CanaryActivities, CanaryPlan, CanaryStep } from '../../contracts/canary.ts';
import type { CanaryInput } from '../../contracts/canary-messages.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import {
  analysisOf,
  type CanaryHandle,
  canaryPlan,
  canaryStatus,
  canaryTo,
  measured,
  startCanary,
} from '../support/canary.ts';
import { testPlan } from '../support/plan.ts';
import { timeSkippingServer, workflowBundle } from '../support/temporal.ts';
import { challengerOf, championOf, registerService } from '../support/world.ts';
import { type SkippedTime, skippedTime } from './skipped-time.ts';

const server = timeSkippingServer();
const [MINUTE, HOUR] = [60_000, 3_600_000] as const;
const DAY = 24 * HOUR;

describe.skipIf(server === null)('a canary of days', () => {
  let world: SkippedTime;
  let service: string;
  let services = 0;
  beforeAll(async () => {
    world = await skippedTime(server ?? '');
  });
  afterAll(() => world.end());

  const start = async (
    steps: readonly CanaryStep[],
    script: Partial<CanaryActivities>,
    plan: Partial<CanaryPlan>,
    input: Partial<CanaryInput> = {},
  ): Promise<CanaryHandle> => {
    service = `days-${++services}`;
    await registerService(world.control, service);
    world.plan = testPlan();
    world.canary = canaryTo(world.control, script);
    const { client } = world.env;
    return startCanary({ client, control: world.control }, service, canaryPlan(steps, plan), input);
  };
  const replays = async ({ workflowId }: CanaryHandle, runId: string): Promise<void> => {
    const history = await world.env.client.workflow.getHandle(workflowId, runId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: workflowBundle(), dataConverter }, history, workflowId);
  };
  const hoursOf = (from?: string | null, to?: string | null) =>
    Math.round((Date.parse(to ?? '') - Date.parse(from ?? '')) / HOUR);

  const ramp = [0.01, 0.1, 0.5].flatMap((weight): CanaryStep[] => [{ weight }, { pauseMs: DAY }]);
  const everyTenMinutes = {
    background: { analysis: 'errors', fromStep: 0 },
    analyses: { errors: analysisOf({ count: null, intervalMs: 10 * MINUTE, windowMs: 10 * MINUTE }) },
  };

  test('takes a day for each step, looks every ten minutes, and goes on over several runs of the workflow', async () => {
    let looks = 0;
    const measureCanary: CanaryActivities['measureCanary'] = (order) => {
      looks++;
      return measured(0.01)(order);
    };
    const handle = await start(ramp, { measureCanary }, everyTenMinutes, { historyLimit: 2_000 });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect(looks).toBeGreaterThanOrEqual(3 * 144);
    expect(looks).toBeLessThanOrEqual(3 * 144 + 3);
    const { steps, measurements } = await canaryStatus(handle);
    expect(hoursOf(steps[0]?.startedAt, steps.at(-1)?.endedAt)).toBe(72);
    expect(measurements.length).toBeLessThanOrEqual(120);
    expect(await world.control.state(service)).toMatchObject({ champion: challengerOf(service) });
    const { runId } = await handle.describe();
    expect(runId).not.toBe(handle.firstExecutionRunId);
    await replays(handle, handle.firstExecutionRunId);
    await replays(handle, runId);
  });

  test('that goes bad on its second day is back within one interval, measured from the window that failed', async () => {
    let since = 0;
    const measureCanary: CanaryActivities['measureCanary'] = async (order) => {
      since ||= Date.parse(order.since);
      const bad = Date.parse(order.at ?? '') - since > 30 * HOUR;
      return measured(bad ? 0.5 : 0.01)(order);
    };
    const handle = await start(ramp, { measureCanary }, everyTenMinutes);
    const end = await handle.result();
    expect(end).toMatchObject({ outcome: 'rolled back' });
    expect(end.faultToChampionMs).toBeGreaterThanOrEqual(10 * MINUTE);
    expect(end.faultToChampionMs).toBeLessThan(11 * MINUTE);
    const { steps } = await canaryStatus(handle);
    expect(hoursOf(steps[0]?.startedAt, steps.at(-1)?.endedAt)).toBe(30);
    expect((await world.control.state(service))?.arms).toEqual([{ variant: championOf(service), share: 1 }]);
  });

  test('that does not say enough waits a day for a person, is measured on meanwhile, and then goes back', async () => {
    const steps = [{ weight: 0.1 }, { analysis: 'errors' }];
    const handle = await start(steps, { measureCanary: measured(null) }, { holdMs: DAY });
    expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
    const { steps: reports } = await canaryStatus(handle);
    expect(hoursOf(reports[0]?.startedAt, reports.at(-1)?.endedAt)).toBe(24);
  });

  test.for([
    ['a step', 'canary 1: the router does not show 10 %', 'rolled back'],
    ['its promotion', 'the router has not shown it yet', 'promoted'],
  ] as const)('whose router never shows %s says so, after ten seconds of reading', async ([when, because, outcome]) => {
    let promoted = false;
    const readRoute: CanaryActivities['readRoute'] = async (order) => {
      const { champion = null } = (await world.control.state(order.service)) ?? {};
      promoted ||= champion === challengerOf(order.service);
      return when === 'a step' || promoted ? [] : canaryTo(world.control).readRoute(order);
    };
    const handle = await start([{ weight: 0.1 }], { readRoute }, {});
    expect(await handle.result()).toMatchObject({ outcome, because: expect.stringContaining(because) });
    const serves = outcome === 'promoted' ? challengerOf(service) : championOf(service);
    expect((await world.control.state(service))?.arms).toEqual([{ variant: serves, share: 1 }]);
  });
});
