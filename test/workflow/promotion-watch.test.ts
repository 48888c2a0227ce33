/** What becomes of a promotion in the hours and days after it. */
import { describe, expect, test } from 'vitest';
import { undoUpdate } from '../../contracts/canary-messages.ts';
import { abortUpdate, killUpdate } from '../../contracts/messages.ts';
import { analysisOf, canaryTo, measured } from '../support/canary.ts';
import { fixesTo, promoteTo, startFix } from '../support/fixes.ts';
import { guardedService } from '../support/guarded-service.ts';
import { door, eventually } from '../support/requests.ts';
import { startWatch, watchStatus } from '../support/watches.ts';
import { challengerOf, championOf } from '../support/world.ts';

const scene = guardedService();
const rows = (kind: string) => scene.world.control.ledger({ service: scene.service, kind });
const told = () => scene.world.told(scene.service).map(({ type }) => type);
const measuring = (result: number | null) => {
  scene.world.canary = canaryTo(scene.world.control, { measureCanary: measured(result) });
};
const watching = async (changes: Parameters<typeof startWatch>[2] = {}, result: number | null = 0.01) => {
  scene.world.fixes = fixesTo(scene.world.control);
  measuring(result);
  return startWatch(scene.world, scene.service, changes);
};
const looked = (handle: Awaited<ReturnType<typeof watching>>, times = 1) =>
  eventually(
    () => watchStatus(handle),
    ({ looks }) => looks >= times,
  );
const good = () => championOf(scene.service);

describe('a watch ends', () => {
  test('as passed when its time is over and nothing was wrong', async () => {
    const handle = await watching({ forMs: 1_500 });
    expect(await handle.result()).toMatchObject({ outcome: 'passed', fix: null });
    expect(await rows('watch ended')).toMatchObject([{ cycle: 'si_2026_11_21_001', body: { outcome: 'passed' } }]);
    expect(await scene.state()).toMatchObject({ champion: challengerOf(scene.service) });
    expect(told()).toEqual([]);
  });

  test('as inconclusive when nothing was ever seen: that is no pass', async () => {
    const handle = await watching({ forMs: 1_500 }, null);
    expect(await handle.result()).toMatchObject({ outcome: 'inconclusive' });
    expect(told()).toEqual(['watch.inconclusive']);
  });

  test('as rolled back when the champion turns out to be worse, and the former one serves', async () => {
    const handle = await watching();
    await looked(handle);
    measuring(0.5);
    const end = await handle.result();
    expect(end).toMatchObject({ outcome: 'rolled back', fix: expect.stringMatching(/^fx_/) });
    expect(await scene.state()).toMatchObject({ champion: good(), arms: [{ variant: good(), share: 1 }] });
    expect(await rows('fix admitted')).toMatchObject([
      { actor: { kind: 'watch', name: 'si_2026_11_21_001' }, body: { only: 'previous' } },
    ]);
    expect(told().sort()).toEqual(['fix.remedied', 'watch.rolled-back']);
  });

  test('as superseded when another one has become champion', async () => {
    const handle = await watching();
    await looked(handle);
    await promoteTo(scene.world.control, scene.service, good());
    expect(await handle.result()).toMatchObject({ outcome: 'superseded' });
  });

  test('as killed when the service is killed, though nobody tells it', async () => {
    const handle = await watching();
    await scene.startGuardian({});
    await scene.guardian().executeUpdate(killUpdate, { args: [{ by: 'ada', reason: 'it smells' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'killed', because: 'it smells' });
  });

  test('as aborted when a person says so, and the champion stays', async () => {
    const handle = await watching();
    await looked(handle);
    const abort = () => handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'seen enough' }] });
    await Promise.all([abort(), abort().catch(() => undefined)]);
    expect(await handle.result()).toMatchObject({ outcome: 'aborted', because: 'seen enough (ada)' });
    expect(await rows('watch ended')).toHaveLength(1);
    expect(await scene.state()).toMatchObject({ champion: challengerOf(scene.service) });
  });

  test('as asked when the fix may not go back past what a person has decided', async () => {
    const handle = await watching();
    await looked(handle);
    const ada = { kind: 'person', name: 'ada' };
    await scene.world.control.arm({ service: scene.service, actor: ada, reason: 'looked', key: `${scene.service}/a` });
    measuring(0.5);
    expect(await handle.result()).toMatchObject({
      outcome: 'asked',
      because: expect.stringContaining('ada has armed'),
    });
    expect(await scene.state()).toMatchObject({ champion: challengerOf(scene.service) });
    expect(told()).toContain('watch.asked');
  });

  test('when it is cancelled in Temporal, and tells that', async () => {
    const handle = await watching();
    await looked(handle);
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ outcome: 'aborted' });
    expect(await rows('watch ended')).toHaveLength(1);
  });
});

describe('an undo', () => {
  test('by a person goes back without a signature, also past a decision of theirs', async () => {
    const handle = await watching();
    await looked(handle);
    const ada = { kind: 'person', name: 'ada' };
    await scene.world.control.arm({ service: scene.service, actor: ada, reason: 'looked', key: `${scene.service}/a` });
    const undo = () => handle.executeUpdate(undoUpdate, { args: [{ by: 'ada', reason: 'users complain' }] });
    expect(await undo()).toMatchObject({ accepted: true });
    await undo().catch(() => undefined);
    expect(await handle.result()).toMatchObject({
      outcome: 'rolled back',
      because: expect.stringContaining('users complain (ada)'),
    });
    expect(await scene.state()).toMatchObject({ champion: good() });
    expect(await rows('fix admitted')).toMatchObject([{ actor: ada }]);
  });
});

test('going back waits for whoever has the traffic lane', async () => {
  const handle = await watching();
  await looked(handle);
  const held = door();
  scene.world.fixes = fixesTo(scene.world.control, {
    readFixFacts: async (order) => held.opened.then(() => fixesTo(scene.world.control).readFixFacts(order)),
  });
  const other = await startFix(scene.world, scene.service, { only: 'restart', findings: [] });
  measuring(0.5);
  await eventually(
    () => watchStatus(handle),
    ({ back }) => back !== null,
  );
  held.open();
  await other.handle.result();
  expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
});

test('a doubt is told once, and is over when it passes again', async () => {
  const handle = await watching({ analysis: analysisOf({ count: 2 }) });
  await looked(handle, 2);
  measuring(null);
  await eventually(
    () => watchStatus(handle),
    ({ doubts }) => doubts >= 2,
  );
  expect(told()).toEqual(['watch.inconclusive']);
  const { passes } = await watchStatus(handle);
  measuring(0.01);
  await eventually(
    () => watchStatus(handle),
    (now) => now.passes > passes,
  );
  await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'enough' }] });
  expect(await handle.result()).toMatchObject({ outcome: 'aborted' });
});

test('a metrics source that is dead decides nothing, and people are told', async () => {
  const handle = await watching();
  await looked(handle);
  scene.world.canary = canaryTo(scene.world.control, {
    measureCanary: async () => {
      throw new Error('the metrics source is gone');
    },
  });
  await eventually(
    () => watchStatus(handle),
    ({ doubts }) => doubts >= 1,
  );
  expect(await scene.state()).toMatchObject({ champion: challengerOf(scene.service) });
  expect(told()).toEqual(['watch.inconclusive']);
  await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'enough' }] });
  await handle.result();
});

test('it goes on in run after run, and what it has seen goes with it', async () => {
  const handle = await watching({ historyLimit: 40, forMs: 6_000 });
  const end = await handle.result();
  expect(end).toMatchObject({ outcome: 'passed' });
  const { looks, measurements } = await scene.world.client.workflow
    .getHandle(handle.workflowId)
    .query<Awaited<ReturnType<typeof watchStatus>>, []>('watchStatus');
  expect(looks).toBeGreaterThanOrEqual(measurements.length);
  const first = await scene.world.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId).describe();
  expect(first.status.name).toBe('CONTINUED_AS_NEW');
  expect(await rows('watch ended')).toHaveLength(1);
});

test('workers that are stopped while it goes back let it go on, and it goes back once', async () => {
  const handle = await watching();
  await looked(handle);
  measuring(0.5);
  await eventually(
    () => watchStatus(handle),
    ({ back }) => back !== null,
  );
  await scene.world.stopWorkers();
  await scene.world.startWorkers({ maxCachedWorkflows: 0 });
  expect(await handle.result()).toMatchObject({ outcome: 'rolled back' });
  expect(await rows('fix admitted')).toHaveLength(1);
  expect(await rows('watch ended')).toHaveLength(1);
});
