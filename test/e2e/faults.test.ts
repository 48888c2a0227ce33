import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { violationsOf } from '../../check/check.ts';
import { guardianId } from '../../contracts/ids.ts';
import { guardianStatusQuery } from '../../contracts/messages.ts';
import { eventually } from '../../drills/eventually.ts';
import { SERVICE } from '../../drills/service-home.ts';
import { type LiveCycle, type LiveService, startLiveService } from '../support/live-service.ts';
import { lockStore } from '../support/lock-store.ts';
import { replayEverything } from '../support/replay-everything.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { workflowBundle } from '../support/temporal.ts';

const by = (name: string) => ({ service: SERVICE, actor: { kind: 'drill', name }, reason: 'for the test' });
const settings = { approval: '{ required: true, expires: 1h }' };

describe('a service that is asked all the time', () => {
  let live: LiveService;
  let cycle: LiveCycle;
  let keys = 0;

  beforeAll(async () => {
    live = await startLiveService({ settings });
  });
  afterAll(async () => {
    await replayEverything(live.client, workflowBundle());
    await live.end();
  });
  beforeEach(async () => {
    cycle = await live.startCycle();
  });
  afterEach(async () => {
    expect(violationsOf(live.home)).toEqual([]);
    // Gold becomes the champion again, so that the next cycle has something to improve.
    await live.control.kill({ ...by('ada'), key: `kill/${++keys}` });
    await live.control.arm({ ...by('ada'), actor: { kind: 'drill', name: 'ada' }, key: `arm/${keys}` });
  });

  const approved = async (): Promise<void> => live.approve(cycle, await live.untilAsked(cycle));
  /** The challenger, once it has its share. */
  const shared = async (): Promise<string | null> => {
    const arms = async () => (await live.control.state(SERVICE))?.arms ?? [];
    const [, challenger] = await eventually(arms, ({ length }) => length === 2);
    return challenger?.variant ?? null;
  };
  /** Who answers the questions that all visitors ask now. */
  const answerers = async (): Promise<Set<string | null>> => {
    const answers = live.wishes.map((wish, n) => live.visitors.one(wish, `visitor-${n}`));
    return new Set((await Promise.all(answers)).map(({ variant }) => variant));
  };
  const promotions = async () =>
    (await live.control.ledger({ cycle: cycle.cycle })).filter(
      ({ kind, reason, body }) => kind === 'shift' && reason === 'promote' && body.outcome === 'done',
    );

  test('a cycle goes on when Temporal is killed and comes back on its database file', async () => {
    await live.untilBegun(cycle, 'train');
    await live.processes.kill('temporal');
    await live.processes.start('temporal');
    await approved();
    expect(await live.endOf(cycle)).toMatchObject({ outcome: 'promoted' });
  });

  test('a kill works while Temporal is away: gold serves at once, and the cycle is fenced off', async () => {
    await approved();
    await shared();
    live.processes.freeze('worker-data');
    const from = live.visitors.seen.length;
    await eventually(
      () => live.visitors.seen.length - from,
      (asked) => asked > 100,
    );
    await live.processes.kill('temporal');
    await live.control.kill({ ...by('ada'), key: `break-glass/${keys}` });
    expect(await answerers()).toEqual(new Set([live.gold]));

    await live.processes.start('temporal');
    live.processes.thaw('worker-data');
    expect(await live.endOf(cycle)).toMatchObject({ outcome: 'killed' });
  });

  test('a guardian that was away during a kill takes it over, and ends the cycle that waits', async () => {
    const asked = await live.untilAsked(cycle);
    await live.processes.kill('temporal');
    await live.control.kill({ ...by('ada'), key: `break-glass/${keys}` });
    await live.processes.start('temporal');
    expect(await live.endOf(cycle)).toMatchObject({ outcome: 'killed' });
    const guardian = live.client.workflow.getHandle(guardianId(SERVICE));
    expect(await guardian.query(guardianStatusQuery)).toMatchObject({ latch: 'killed', running: [] });
    await expect(live.approve(cycle, asked)).rejects.toThrow('already completed');
  }, 120_000);

  test('a gateway that is killed serves again, and the cycle that watches it is promoted', async () => {
    await approved();
    const challenger = await shared();
    await live.processes.kill('gateway');
    await live.processes.start('gateway');
    expect(await live.endOf(cycle)).toMatchObject({ outcome: 'promoted', challenger });
    await eventually(
      () => answerers(),
      (variants) => variants.size === 1 && variants.has(challenger),
    );
  });

  test('a promotion that finds the store locked happens once, when the store is free', async () => {
    await approved();
    await live.untilBegun(cycle, 'watch');
    const release = lockStore(live.home);
    await live.untilBegun(cycle, 'shiftTraffic', 4);
    expect(await promotions()).toHaveLength(0);
    release();
    expect(await live.endOf(cycle)).toMatchObject({ outcome: 'promoted' });
    expect(await promotions()).toHaveLength(1);
  });

  test('a challenger whose artifact was altered is never served, and never promoted', async () => {
    const asked = await live.untilAsked(cycle);
    const { variant } = asked;
    const file = join(homePaths(live.home).artifacts, 'sha256', variant.slice(0, 2), variant);
    const content = readFileSync(file);
    writeFileSync(file, '{"kind":"lexical"}');
    const before = live.visitors.seen.length;
    await live.approve(cycle, asked);
    expect(await live.endOf(cycle)).toMatchObject({
      outcome: 'rolled back',
      because: expect.stringContaining('0 samples'),
    });
    expect(live.visitors.seen.slice(before).filter((seen) => seen.variant !== live.gold)).toEqual([]);
    expect(await live.control.state(SERVICE)).toMatchObject({ champion: live.gold });
    const [end] = await live.control.ledger({ service: SERVICE, cycle: cycle.cycle, kind: 'cycle ended' });
    const missing = [expect.stringMatching(/^mlflow_run_\w+\/model$/)];
    expect(end?.body).toMatchObject({ sealed: { complete: false, missing } });
    writeFileSync(file, content); // As from a backup.
  });
});

test.skipIf(!canMount)('a training that finds the disk full goes on when there is space', async () => {
  const disk = smallDisk();
  const live = await startLiveService({ artifacts: disk.folder });
  onTestFinished(live.end);
  live.processes.freeze('worker-train');
  const cycle = await live.startCycle();
  await live.untilBegun(cycle, 'train');
  disk.fill();
  live.processes.thaw('worker-train');
  await live.untilBegun(cycle, 'train', 3);
  disk.empty();
  expect(await live.endOf(cycle)).toMatchObject({ outcome: 'promoted' });
  expect(violationsOf(live.home)).toEqual([]);
});
