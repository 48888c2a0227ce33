import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import type { CanaryStatus } from '../../contracts/canary-messages.ts';
import { watchWorkflowId } from '../../contracts/ids.ts';
import { queues } from '../../contracts/queues.ts';
import type { WatchStatus } from '../../contracts/watch.ts';

import { analysisOf, canaryPlan, canaryTo, measured, startCanary, trialOf, whenCanary } from '../support/canary.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';
import { errorOf, pawlIn } from './cli-world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const { control, services } = homePaths(world.home);
  symlinkSync(join(world.home, 'control.db'), control);
  mkdirSync(services);
}, 60_000);
afterAll(() => world.end());

const pawl = (...args: readonly string[]) =>
  pawlIn(world.home, args, { PAWL_HOME: world.home, PAWL_TEMPORAL_ADDRESS: world.env.address });

let cycles = 0;
/** A service with a canary of its own, and how a person names it. */
const canaryOf = async (service: string, ...plan: Parameters<typeof canaryPlan>) => {
  await registerService(world.control, service);
  const trial = await trialOf(world.control, service, `si_2026_11_21_${String(++cycles).padStart(3, '0')}`);
  const handle = await startCanary(world, service, canaryPlan(...plan), { trial });
  const named = [trial.cycle, '--service', service];
  return { handle, trial, named };
};
const asks = ({ waitsFor }: CanaryStatus) => waitsFor !== null;

test('without any, a canary is not found, and it is said how a cycle gets one', async () => {
  const none = await pawl('canary', 'show', '--json');
  expect(errorOf(none)).toMatchObject({ type: 'NotFound', hint: expect.stringContaining('docs/guide/canary.md') });
  const odd = await pawl('canary', 'show', 'monday', '--json');
  expect(errorOf(odd)).toMatchObject({ type: 'Usage', message: expect.stringContaining('"monday" is no cycle') });
});

describe('a canary that waits for a person', () => {
  test('shows its steps, its weight, what it could notice, and what it waits for', async () => {
    const { handle, trial, named } = await canaryOf('shown', [{ weight: 0.1 }, { approval: true }, { weight: 0.5 }]);
    await whenCanary(handle, asks);
    const { json } = await pawl('canary', 'show', ...named, '--json');
    expect(json).toMatchObject({
      ...{ cycle: trial.cycle, service: 'shown', weight: 0.1, end: null },
      waitsFor: { step: 'canary 2' },
    });
    const { stdout } = await pawl('canary', 'show', 'latest');
    expect(stdout).toContain(trial.cycle);
    expect(stdout).toMatch(/█░+ 10 %/);
    expect(stdout).toContain('it would notice latency +20 %');
    expect(stdout).toMatch(/✓ canary 1 +10 %/);
    expect(stdout).toMatch(/· canary 3 +50 %/);
    expect(stdout).toContain('waits for a person: canary 2, the plan asks for a person here');
    expect(stdout).toContain(`pawl canary promote ${trial.cycle}`);
    await handle.cancel();
    await handle.result();
  });

  test('goes on with a signature for exactly that, and with no other', async () => {
    const { handle, named } = await canaryOf('signed', [{ weight: 0.1 }, { approval: true }, { weight: 0.5 }]);
    await whenCanary(handle, asks);
    const unasked = await pawl('canary', 'promote', ...named, '--reason', 'fine', '--json');
    expect(errorOf(unasked)).toMatchObject({ hint: expect.stringContaining('--yes') });
    const retried = await pawl('canary', 'retry', ...named, '--reason', 'again', '--yes', '--json');
    expect(errorOf(retried)).toMatchObject({ type: 'Refused', message: expect.stringContaining('nothing to measure') });
    const promoted = await pawl('canary', 'promote', ...named, '--reason', 'fine', '--yes');
    expect(promoted).toMatchObject({ code: 0, stdout: expect.stringContaining('canary 2 goes on') });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    expect((await world.control.state('signed'))?.champion).toBe(challengerOf('signed'));
    const late = await pawl('canary', 'promote', ...named, '--reason', 'late', '--yes', '--json');
    expect(errorOf(late)).toMatchObject({ type: 'NotFound', message: expect.stringContaining('runs no more') });
  });

  test('can be answered from the Web UI with what --print gives', async () => {
    const { handle, named } = await canaryOf('printed', [{ weight: 0.1 }, { approval: true }]);
    await whenCanary(handle, asks);
    const printed = await pawl('canary', 'promote', ...named, '--reason', 'fine', '--print', '--json');
    const { name, input } = printed.json as { name: string; input: object };
    await handle.signal(name, input);
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });
});

describe('a canary that holds', () => {
  test('measures anew when it is told to', async () => {
    const given = { value: 0.2 as number };
    world.canary = canaryTo(world.control, { measureCanary: (order) => measured(given.value)(order) });
    const { handle, named } = await canaryOf('held', [{ weight: 0.1 }, { analysis: 'errors' }]);
    await whenCanary(handle, asks);
    const { stdout } = await pawl('canary', 'show', ...named);
    expect(stdout).toMatch(/errors +challenger +\S+ +0\.2 +0\.2 to 0\.2 +100 requests/);
    expect(stdout).toMatch(/baseline +\S+ +0 +0 to 0 +100 requests/);
    expect(stdout).toContain('is inconclusive');
    given.value = 0.01;
    const retried = await pawl('canary', 'retry', ...named, '--reason', 'the load test is over', '--yes');
    expect(retried).toMatchObject({ code: 0, stdout: expect.stringContaining('measured anew') });
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    world.canary = canaryTo(world.control);
  });

  test('is steered by nobody who has nothing to decide', async () => {
    const { handle, named } = await canaryOf('calm', [{ weight: 0.1 }, { pauseMs: 3_600_000 }]);
    await whenCanary(handle, ({ step }) => step === 'canary 2');
    for (const action of ['promote', 'retry']) {
      const error = errorOf(await pawl('canary', action, ...named, '--reason', 'now', '--yes', '--json'));
      expect(error).toMatchObject({ type: 'Refused', message: expect.stringContaining('waits for nobody') });
    }
    await handle.cancel();
    await handle.result();
  });
});

test('a pause is held before the next step until it is resumed with a signature, and a long one is skipped', async () => {
  const { handle, named } = await canaryOf('paused', [{ weight: 0.1 }, { pauseMs: 3_600_000 }, { weight: 0.5 }]);
  await whenCanary(handle, ({ step }) => step === 'canary 2');
  const paused = await pawl('canary', 'pause', ...named, '--reason', 'index tonight');
  expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining('paused') });
  const skipped = await pawl('canary', 'skip', ...named, '--reason', 'long enough', '--yes');
  expect(skipped).toMatchObject({ code: 0, stdout: expect.stringContaining('the rest of canary 2 is skipped') });
  await whenCanary(handle, ({ steps }) => steps.some(({ step, state }) => step === 'canary 2' && state === 'skipped'));
  const { stdout } = await pawl('canary', 'show', ...named);
  expect(stdout).toMatch(/ paused\n/);
  expect(stdout).toMatch(/- canary 2 +pause of 1 h/);
  const resumed = await pawl('canary', 'resume', ...named, '--reason', 'the index is there', '--yes', '--json');
  expect(resumed.json).toMatchObject({ accepted: true, what: 'resumed' });
  expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
});

test('abort puts traffic back, needs a reason and no signature, and a second one is told that it is over', async () => {
  const { handle, named } = await canaryOf('aborted', [{ weight: 0.1 }, { approval: true }]);
  await whenCanary(handle, asks);
  expect((await pawl('canary', 'abort', ...named, '--json')).code).toBe(2);
  const aborted = await pawl('canary', 'abort', ...named, '--reason', 'complaints');
  expect(aborted).toMatchObject({ code: 0, stdout: expect.stringContaining('aborted') });
  expect(await handle.result()).toMatchObject({ outcome: 'aborted' });
  expect((await world.control.state('aborted'))?.arms).toEqual([{ variant: championOf('aborted'), share: 1 }]);
  const again = await pawl('canary', 'abort', ...named, '--reason', 'twice', '--json');
  expect(errorOf(again)).toMatchObject({ type: 'NotFound' });
});

describe('undo', () => {
  test('while it runs puts traffic back', async () => {
    const { handle, named } = await canaryOf('undone', [{ weight: 0.1 }, { approval: true }]);
    await whenCanary(handle, asks);
    expect((await pawl('canary', 'undo', ...named, '--reason', 'complaints')).code).toBe(0);
    expect(await handle.result()).toMatchObject({ outcome: 'aborted' });
  });

  test('after its end is told to the watch over what was promoted', async () => {
    const { handle, trial, named } = await canaryOf('watched', [{ weight: 0.5 }]);
    await handle.result();
    const plan = { forMs: 3_600_000, analysis: analysisOf({ count: null, intervalMs: 60_000, delayMs: 60_000 }) };
    const watch = await world.client.workflow.start('promotionWatch', {
      workflowId: watchWorkflowId('watched', trial.cycle),
      taskQueue: queues.control,
      args: [{ trial, plan, promotedAt: new Date().toISOString() }],
    });
    const undone = await pawl('canary', 'undo', ...named, '--reason', 'complaints', '--json');
    expect(undone.json).toMatchObject({ accepted: true });
    const status = await watch.query<WatchStatus, []>('watchStatus');
    expect(status.back).toMatchObject({ because: expect.stringContaining('complaints') });
    await watch.terminate('seen');
  });

  test('after its end, with no watch, says what brings gold back', async () => {
    const { handle, named } = await canaryOf('unwatched', [{ weight: 0.5 }]);
    await handle.result();
    const error = errorOf(await pawl('canary', 'undo', ...named, '--reason', 'late', '--json'));
    expect(error).toMatchObject({ type: 'NotFound', hint: expect.stringContaining('pawl kill unwatched') });
  });
});

describe('watching', () => {
  test('follows it to its end, whose outcome is the exit code', async () => {
    world.canary = canaryTo(world.control, { measureCanary: measured(0.5) });
    const { named } = await canaryOf('failing', [{ weight: 0.1 }, { analysis: 'errors' }]);
    const watched = await pawl('canary', 'watch', ...named);
    expect(watched.code).toBe(21);
    expect(watched.stdout).toMatch(/✓ canary 1 +10 %/);
    expect(watched.stdout).toMatch(/rolled back: analysis errors ended as failed/);
    expect((await world.control.state('failing'))?.champion).toBe(championOf('failing'));
    world.canary = canaryTo(world.control);
  });

  test('says with --json each state on a line of its own, the last one with the end', async () => {
    const { named } = await canaryOf('told', [{ weight: 0.1 }, { analysis: 'errors' }], {
      analyses: { errors: analysisOf({ count: 4, intervalMs: 700 }) },
    });
    const { stdout, code } = await pawl('canary', 'watch', ...named, '--json');
    const states = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as CanaryStatus);
    expect(code).toBe(0);
    expect(states.length).toBeGreaterThan(1);
    expect(states.at(-1)).toMatchObject({ end: { outcome: 'promoted' } });
  });
});
