/** A fix from its start to each of its ends. */
import { describe, expect, test } from 'vitest';
import { PawlError } from '../../contracts/failures.ts';
import { abortUpdate, killUpdate } from '../../contracts/messages.ts';
import type { RemediationPlan } from '../../contracts/remediation.ts';
import {
  addVariant,
  askForFix,
  brokenOn,
  type FixActivities,
  fixesTo,
  fixRequest,
  fixSettings,
  fixStatus,
  found,
  promoteTo,
  startFix,
} from '../support/fixes.ts';
import { guardedService } from '../support/guarded-service.ts';
import { door, eventually } from '../support/requests.ts';
import { challengerOf, championOf } from '../support/world.ts';

const scene = guardedService();
const ada = { kind: 'person', name: 'ada' };
const rows = (kind: string) => scene.world.control.ledger({ service: scene.service, kind });
const told = () => scene.world.told(scene.service).map(({ type }) => type);
const HOOKS: RemediationPlan['hooks'] = { restart: { url: 'https://a.example/r', timeoutMs: 1_000 } };

/** Gold, then a first and a second champion, of which the second is broken unless it is said otherwise. */
const three = async (script: Partial<FixActivities> = {}, plan: Partial<RemediationPlan> = {}) => {
  const { control } = scene.world;
  const [gold, first, second] = [
    championOf(scene.service),
    challengerOf(scene.service),
    await addVariant(control, scene.service, 'second'),
  ];
  await promoteTo(control, scene.service, first);
  await promoteTo(control, scene.service, second);
  const readFixSettings = async () => fixSettings(plan);
  scene.world.fixes = fixesTo(control, { readFixSettings, lookForBreach: brokenOn(second), ...script });
  return { gold, first, second };
};

describe('a fix ends as remedied', () => {
  test('when the previous champion is as it should be, and says how long that took', async () => {
    const { first } = await three();
    const since = new Date(Date.now() - 5_000).toISOString();
    const { handle } = await startFix(scene.world, scene.service, { since });
    expect(await handle.result()).toMatchObject({ outcome: 'remedied', remedy: 'previous', champion: first });
    expect(await scene.state()).toMatchObject({ champion: first, arms: [{ variant: first, share: 1 }] });
    const [end] = await rows('fix ended');
    expect(end?.body).toMatchObject({
      symptoms: ['errors'],
      promises: [{ gate: 'errors', withinMs: 60_000, kept: true }],
      steps: [{ what: 'look' }, { what: 'previous', summary: 'helped' }],
    });
    const [promise] = (end?.body.promises ?? []) as Array<{ tookMs: number }>;
    expect(promise?.tookMs).toBeGreaterThanOrEqual(5_000);
    expect(told()).toEqual(['fix.remedied']);
  });

  test('with gold, when the previous champion is broken as well', async () => {
    const scripted = await three();
    const { gold, first, second } = scripted;
    scene.world.fixes = { ...scene.world.fixes, lookForBreach: brokenOn(first, second) };
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({
      outcome: 'remedied',
      remedy: 'gold',
      champion: gold,
      tried: [
        { remedy: 'previous', result: 'did not help' },
        { remedy: 'gold', result: 'helped' },
      ],
    });
    const reasons = (await rows('shift')).map(({ reason }) => reason).slice(-2);
    expect(reasons).toEqual(['fix: back to the previous champion', 'fix: back to gold']);
  });

  test('by a restart, which the owner does, and which leaves the champion', async () => {
    const { second } = await three({}, { remedies: { errors: ['restart', 'previous'] }, hooks: HOOKS });
    let restarted = 0;
    scene.world.fixes = {
      ...scene.world.fixes,
      callRemedy: async () => ({ ok: ++restarted > 0, because: 'done' }),
      lookForBreach: async ({ champion = null }) => ({
        champion,
        findings: [found(restarted > 0 ? 'pass' : 'breach')],
      }),
    };
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({ outcome: 'remedied', remedy: 'restart', champion: second });
    expect(restarted).toBe(1);
  });

  test('for a person who asks for the way back alone, without a look at anything', async () => {
    const look = async () => {
      throw new Error('nobody should look');
    };
    const { first } = await three({ lookForBreach: look });
    const { handle } = await startFix(scene.world, scene.service, { requestedBy: ada, only: 'previous', findings: [] });
    expect(await handle.result()).toMatchObject({ outcome: 'remedied', champion: first });
  });

  test('for a person also where the configuration cannot be read', async () => {
    const { first } = await three({ readFixSettings: unreadable });
    const { handle } = await startFix(scene.world, scene.service, { requestedBy: ada, only: 'previous', findings: [] });
    expect(await handle.result()).toMatchObject({ outcome: 'remedied', champion: first });
  });

  test('first with what has helped against the same before', async () => {
    const { gold, first, second } = await three();
    scene.world.fixes = { ...scene.world.fixes, lookForBreach: brokenOn(first, second) };
    await (await startFix(scene.world, scene.service)).handle.result();
    await eventually(scene.status, ({ running }) => running.length === 0);
    const third = await addVariant(scene.world.control, scene.service, 'third');
    await promoteTo(scene.world.control, scene.service, first);
    await promoteTo(scene.world.control, scene.service, third);
    scene.world.fixes = { ...scene.world.fixes, lookForBreach: brokenOn(third) };
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({ remedy: 'gold', champion: gold, tried: [{ remedy: 'gold' }] });
  });
});

const unreadable = async () => {
  throw new PawlError('ConfigInvalid', 'pawl.yaml cannot be read');
};

describe('a fix ends as not needed', () => {
  test('when the breach is over before anything was done', async () => {
    const { second } = await three({ lookForBreach: brokenOn() });
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({ outcome: 'not needed', champion: second, tried: [] });
    expect(told()).toEqual([]);
  });
});

describe('a fix ends as asked', () => {
  test('when a person has made the champion what it is, and moves nothing', async () => {
    const { control } = scene.world;
    const { second } = await three();
    const order = { service: scene.service, actor: ada, reason: 'I looked at it' };
    await control.arm({ ...order, key: `${scene.service}/again` });
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({ outcome: 'asked', champion: second, tried: [] });
    expect(await scene.state()).toMatchObject({ champion: second });
    const [notice] = scene.world.told(scene.service);
    expect(notice).toMatchObject({ type: 'fix.asked', command: expect.stringContaining('pawl fix start') });
  });

  test('but a person goes back past it', async () => {
    const { control } = scene.world;
    const { first } = await three();
    await control.arm({ service: scene.service, actor: ada, reason: 'looked', key: `${scene.service}/again` });
    const { handle } = await startFix(scene.world, scene.service, { requestedBy: ada });
    expect(await handle.result()).toMatchObject({ outcome: 'remedied', champion: first });
  });

  test('when the service has no remedy for it', async () => {
    await three({}, { remedies: { errors: ['restart'] } });
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({
      outcome: 'asked',
      because: expect.stringContaining('hooks.restart'),
    });
  });

  test('when nothing can be seen of what it did: it goes no further on no data', async () => {
    const { first, second } = await three();
    const lookForBreach: FixActivities['lookForBreach'] = async ({ champion = null }) => ({
      champion,
      findings: [found(champion === second ? 'breach' : 'no data')],
    });
    scene.world.fixes = { ...scene.world.fixes, lookForBreach };
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({
      outcome: 'asked',
      champion: first,
      tried: [{ remedy: 'previous', result: 'nothing was seen of it' }],
    });
  });
});

describe('a fix ends as failed', () => {
  test('when nothing has helped, and people are told what to type', async () => {
    const { gold } = await three({ lookForBreach: async () => ({ champion: null, findings: [found('breach')] }) });
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({ outcome: 'failed', champion: gold, remedy: null });
    const [notice] = scene.world.told(scene.service);
    expect(notice).toMatchObject({ type: 'fix.failed', command: expect.stringContaining('pawl kill') });
    expect((await rows('fix ended'))[0]?.body.promises).toMatchObject([{ kept: false }]);
  });

  test('when the owner refuses the only remedy', async () => {
    const callRemedy = async () => ({ ok: false, because: 'it said no' });
    await three({ callRemedy }, { remedies: { errors: ['restart'] }, hooks: HOOKS });
    const { handle } = await startFix(scene.world, scene.service);
    expect(await handle.result()).toMatchObject({
      outcome: 'failed',
      tried: [{ remedy: 'restart', result: 'could not be done: it said no' }],
    });
  });

  test('when somebody else was given the lane meanwhile', async () => {
    const held = door();
    const { second } = await three();
    const { lookForBreach } = scene.world.fixes;
    scene.world.fixes = {
      ...scene.world.fixes,
      lookForBreach: async (one) => held.opened.then(() => lookForBreach(one)),
    };
    const { handle } = await startFix(scene.world, scene.service);
    await promoteTo(scene.world.control, scene.service, second);
    held.open();
    expect(await handle.result()).toMatchObject({
      outcome: 'failed',
      because: expect.stringContaining('stale promotion'),
    });
    expect(await scene.state()).toMatchObject({ champion: second });
  });
});

describe('a fix that is stopped', () => {
  const looking = async () => {
    const variants = await three({}, { settleMs: 60_000 });
    scene.world.fixes = {
      ...scene.world.fixes,
      lookForBreach: async ({ champion = null }) => ({ champion, findings: [found('breach')] }),
    };
    const started = await startFix(scene.world, scene.service);
    await eventually(scene.state, (state) => state?.champion === variants.first);
    return { ...variants, ...started };
  };

  test('by an abort stays where it went back to, and says what it did', async () => {
    const { handle, first } = await looking();
    const abort = () => handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'I see to it' }] });
    expect(await Promise.all([abort(), abort()])).toMatchObject([{ accepted: true }, expect.anything()]);
    expect(await handle.result()).toMatchObject({
      outcome: 'aborted',
      because: 'I see to it (ada)',
      champion: first,
      tried: [{ remedy: 'previous', result: 'stopped' }],
    });
    expect(await rows('fix ended')).toHaveLength(1);
  });

  test('by a kill leaves gold, which the kill has put there', async () => {
    const { handle, gold } = await looking();
    await scene.guardian().executeUpdate(killUpdate, { args: [{ by: 'ada', reason: 'it smells' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'killed', champion: gold });
    expect(await rows('fix ended')).toHaveLength(1);
  });

  test('by a kill of which nobody tells it moves nothing any more', async () => {
    const held = door();
    await three();
    const { lookForBreach } = scene.world.fixes;
    scene.world.fixes = {
      ...scene.world.fixes,
      lookForBreach: async (one) => held.opened.then(() => lookForBreach(one)),
    };
    const { handle } = await startFix(scene.world, scene.service);
    const order = { service: scene.service, actor: ada, reason: 'break glass', key: `${scene.service}/kill` };
    await scene.world.control.kill(order);
    held.open();
    const { outcome } = await handle.result();
    expect(['killed', 'not needed']).toContain(outcome);
    expect(await scene.state()).toMatchObject({ latch: 'killed', champion: championOf(scene.service) });
  });

  test('by a cancellation in Temporal ends as well, and tells it', async () => {
    const { handle, first } = await looking();
    await handle.cancel();
    expect(await handle.result()).toMatchObject({ outcome: 'aborted', champion: first });
    await eventually(scene.status, ({ running }) => running.length === 0);
  });

  test('takes no message as an end that it does not know', async () => {
    const { handle } = await looking();
    await handle.signal('no-such-message', { a: 1 });
    expect((await fixStatus(handle)).end).toBeNull();
    await handle.executeUpdate(abortUpdate, { args: ['enough' as never] });
    expect(await handle.result()).toMatchObject({ outcome: 'aborted', because: 'enough (unknown)' });
  });
});

test('workers that were stopped in the middle go on where it was, and change traffic once', async () => {
  const { first } = await three({}, { settleMs: 60_000 });
  let healed = false;
  scene.world.fixes = {
    ...scene.world.fixes,
    lookForBreach: async ({ champion = null }) => ({ champion, findings: [found(healed ? 'pass' : 'breach')] }),
  };
  const { fix, handle } = await startFix(scene.world, scene.service);
  await eventually(scene.state, (state) => state?.champion === first);
  await scene.world.stopWorkers();
  healed = true;
  await scene.world.startWorkers({ maxCachedWorkflows: 0 });
  expect(await handle.result()).toMatchObject({ outcome: 'remedied', champion: first });
  const moved = (await rows('shift')).filter(({ cycle }) => cycle === fix);
  expect(moved).toHaveLength(1);
});

test('what it does can be asked while it does it', async () => {
  await three({}, { settleMs: 60_000 });
  scene.world.fixes = {
    ...scene.world.fixes,
    lookForBreach: async ({ champion = null }) => ({ champion, findings: [found('breach')] }),
  };
  const { fix, handle } = await startFix(scene.world, scene.service);
  const status = await eventually(
    () => fixStatus(handle),
    ({ tried }) => tried.length === 1,
  );
  expect(status).toMatchObject({
    fix,
    symptoms: ['errors'],
    course: ['previous', 'gold'],
    tried: [{ remedy: 'previous', result: 'begun' }],
    end: null,
  });
  await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'enough' }] });
  await handle.result();
  expect((await fixStatus(handle)).end).toMatchObject({ outcome: 'aborted' });
});

test('a second fix is not admitted beside the first', async () => {
  const held = door();
  await three();
  const { lookForBreach } = scene.world.fixes;
  scene.world.fixes = {
    ...scene.world.fixes,
    lookForBreach: async (one) => held.opened.then(() => lookForBreach(one)),
  };
  const { handle } = await startFix(scene.world, scene.service);
  expect(await askForFix(scene.world, scene.service, fixRequest())).toMatchObject({ admitted: false, wait: true });
  held.open();
  await handle.result();
});
