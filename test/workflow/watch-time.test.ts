/** A watch of thirty days, on a server that skips them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analysisOf } from '../support/canary.ts';
import { timeSkippingServer } from '../support/temporal.ts';
import { startWatch, watchStatus } from '../support/watches.ts';
import { registerService } from '../support/world.ts';
import { type SkippedTime, skippedTime } from './skipped-time.ts';

const server = timeSkippingServer();
const HOUR = 3_600_000;

describe.skipIf(server === null)('time', () => {
  let world: SkippedTime;
  beforeAll(async () => {
    world = await skippedTime(server ?? '');
  });
  afterAll(() => world.end());

  test('a watch of thirty days looks every two hours, in run after run, and passes', async () => {
    await registerService(world.control, 'thirty');
    const promotedAt = new Date(await world.env.currentTimeMs()).toISOString();
    const analysis = analysisOf({ count: null, intervalMs: 2 * HOUR });
    const scene = { client: world.env.client, control: world.control };
    const handle = await startWatch(
      scene,
      'thirty',
      { forMs: 30 * 24 * HOUR, analysis, historyLimit: 2_000 },
      promotedAt,
    );
    expect(await handle.result()).toMatchObject({ outcome: 'passed' });
    const days = ((await world.env.currentTimeMs()) - Date.parse(promotedAt)) / (24 * HOUR);
    expect(days).toBeGreaterThanOrEqual(30);
    const last = world.env.client.workflow.getHandle(handle.workflowId);
    const { looks, measurements } = await watchStatus(last as typeof handle);
    // The server may skip past one of them while this machine is busy.
    expect(looks).toBeGreaterThan(330);
    expect(looks).toBeLessThanOrEqual(361);
    expect(measurements.length).toBeLessThan(200);
    const first = await world.env.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId).describe();
    expect(first.status.name).toBe('CONTINUED_AS_NEW');
  });
});
