import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { brokenOn, fixesTo, fixSettings, found, promoteTo } from '../support/fixes.ts';
import { testPlan } from '../support/plan.ts';
import { eventually } from '../support/requests.ts';
import { challengerOf, championOf, createWorld, registerService, SERVICE, type World } from '../support/world.ts';
import { errorOf, pawlIn } from './cli-world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const { control, services } = homePaths(world.home);
  symlinkSync(join(world.home, 'control.db'), control);
  mkdirSync(services);
  await registerService(world.control, 'other');
  world.plan = testPlan();
}, 60_000);
afterAll(() => world.end());

const pawl = (...args: readonly string[]) =>
  pawlIn(world.home, args, { PAWL_HOME: world.home, PAWL_TEMPORAL_ADDRESS: world.env.address });
type Listed = { fix: string; running: boolean; outcome: string | null; remedy: string | null; service: string };
const list = async (...args: readonly string[]) => (await pawl('fix', 'ls', '--json', ...args)).json as Listed[];

test('without any, fix ls says how one is started', async () => {
  expect(await list()).toEqual([]);
  expect((await pawl('fix', 'ls')).stdout).toContain('pawl fix start');
  expect(errorOf(await pawl('fix', 'show', '--json'))).toMatchObject({ type: 'NotFound' });
});

test('a person goes back to the champion before, waits for it, and sees what was done', async () => {
  await promoteTo(world.control, SERVICE, challengerOf(SERVICE));
  const args = ['--remedy', 'previous', '--reason', 'complaints since noon', '--wait'];
  const went = await pawl('fix', 'start', SERVICE, ...args, '--json');
  expect(went.code).toBe(0);
  const { fix, end } = went.json as { fix: string; end: object };
  expect(end).toMatchObject({ outcome: 'remedied', champion: championOf(SERVICE) });
  expect(await world.control.state(SERVICE)).toMatchObject({ champion: championOf(SERVICE) });
  expect(await list()).toMatchObject([{ fix, running: false, outcome: 'remedied', remedy: 'previous' }]);
  const shown = await pawl('fix', 'show', fix);
  expect(shown.stdout).toContain('complaints since noon');
  expect(shown.stdout).toMatch(/previous helped/);
  expect(shown.stdout).toMatch(/remedied – back to the previous champion/);
});

test('one that runs is listed as such, shown with what it tries, and ended by a person', async () => {
  await promoteTo(world.control, 'other', challengerOf('other'));
  world.fixes = fixesTo(world.control, {
    readFixSettings: async () => fixSettings({ settleMs: 600_000 }),
    lookForBreach: async ({ champion = null }) => ({ champion, findings: [found('breach')] }),
  });
  const started = await pawl('fix', 'start', 'other', '--reason', 'slow', '--json');
  const { fix } = started.json as { fix: string };
  await eventually(
    () => world.control.state('other'),
    (state) => state?.champion === championOf('other'),
  );
  expect(await list('other', '--running')).toMatchObject([{ fix, running: true, outcome: null }]);
  expect((await pawl('fix', 'show', fix, '--service', 'other')).stdout).toMatch(/previous begun/);
  const aborted = await pawl('fix', 'abort', fix, '--service', 'other', '--reason', 'I see to it', '--json');
  expect(aborted.json).toMatchObject({ accepted: true });
  await eventually(
    () => list('other'),
    ([first]) => first?.outcome === 'aborted',
  );
  const again = await pawl('fix', 'abort', fix, '--service', 'other', '--reason', 'again', '--json');
  expect(again.code).not.toBe(0);
});

test('the exit code says how it ended, and a refusal what to do next', async () => {
  const service = 'other';
  world.fixes = fixesTo(world.control, { lookForBreach: brokenOn(championOf(service)) });
  const asked = await pawl('fix', 'start', service, '--reason', 'errors', '--wait', '--json');
  expect(asked.json).toMatchObject({ end: { outcome: 'asked' } });
  expect(asked.code).toBe(5);
  const order = { service, actor: { kind: 'person', name: 'ada' }, reason: 'it smells', key: 'kill' };
  await world.control.kill(order);
  const refused = await pawl('fix', 'start', service, '--reason', 'errors', '--json');
  expect(errorOf(refused)).toMatchObject({ type: 'Refused', message: expect.stringContaining('killed (it smells)') });
});
