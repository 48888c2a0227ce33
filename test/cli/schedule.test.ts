import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scheduleId } from '../../contracts/ids.ts';
import { applySchedules } from '../../schedules/apply.ts';
import type { Declaration } from '../../schedules/declared.ts';
import { eventually } from '../support/requests.ts';
import { type CliWorld, createCliWorld, errorOf } from './cli-world.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await createCliWorld();
}, 120_000);
afterAll(() => world.end());

const nightly: Declaration = { name: 'nightly', cron: '0 3 * * *', paused: false, reason: 'every night' };
const often: Declaration = { name: 'often', every: 3_600_000, paused: true, reason: 'every hour' };
const apply = (...schedules: Declaration[]) => applySchedules(world.client, { service: 'plain', schedules });
const held = (name: string, service = 'plain') => world.client.schedule.getHandle(scheduleId(service, name)).describe();

test('what is declared is created, and applying it again changes nothing', async () => {
  expect(await apply(nightly, often)).toEqual([
    { name: 'nightly', change: 'created' },
    { name: 'often', change: 'created' },
  ]);
  expect((await apply(nightly, often)).map(({ change }) => change)).toEqual(['unchanged', 'unchanged']);
  expect(await held('often')).toMatchObject({
    state: { paused: true },
    policies: { overlap: 'SKIP', catchupWindow: 60_000 },
  });
});

test('a changed declaration updates its schedule, and whether it is paused stays a person’s decision', async () => {
  await world.client.schedule.getHandle(scheduleId('plain', 'nightly')).pause('by hand');
  const earlier = { ...nightly, cron: '0 2 * * *' };
  expect((await apply(earlier, often)).map(({ change }) => change)).toEqual(['updated', 'unchanged']);
  const { spec, state } = await held('nightly');
  expect(spec.calendars?.[0]?.hour).toMatchObject([{ start: 2 }]);
  expect(state).toMatchObject({ paused: true, note: 'by hand' });
});

test('what is no longer declared is deleted; other services keep theirs', async () => {
  await applySchedules(world.client, { service: 'plain-too', schedules: [nightly] });
  await eventually(
    () => apply(nightly),
    (applied) => applied.some(({ name, change }) => name === 'often' && change === 'deleted'),
  );
  await expect(held('often')).rejects.toThrow();
  expect(await held('nightly', 'plain-too')).toMatchObject({ state: { paused: false } });
});

test('a cron that Temporal refuses is an error of the configuration that names the schedule', async () => {
  const applied = applySchedules(world.client, { service: 'bad', schedules: [{ ...nightly, cron: 'now and then' }] });
  await expect(applied).rejects.toMatchObject({ type: 'ConfigInvalid', message: expect.stringContaining('nightly') });
});

test('pawl schedule apply, trigger, pause, ls: what pawl.yaml declares starts triggers by itself', async () => {
  const file = join(world.home, 'pawl.yaml');
  const declared = 'schedules: [{ name: hourly, every: 1h }]';
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^schedules:[\s\S]*/m, declared));
  expect((await world.pawl('schedule', 'ls', '--json')).json).toMatchObject([{ name: 'hourly', state: 'not applied' }]);
  expect((await world.pawl('schedule', 'apply', '--json')).json).toEqual([{ name: 'hourly', change: 'created' }]);
  expect((await world.pawl('schedule', 'trigger', 'hourly')).code).toBe(0);
  const { info } = await eventually(
    () => held('hourly', 'docs'),
    ({ info }) => info.recentActions.length > 0,
  );
  const started = info.recentActions[0]?.action.workflow.workflowId ?? '';
  // Nobody armed the service: the trigger ran and got the guardian's answer.
  expect(await world.client.workflow.getHandle(started).result()).toMatchObject({ admitted: false });
  expect((await world.pawl('schedule', 'pause', 'hourly', '--reason', 'holidays')).code).toBe(0);
  expect((await world.pawl('schedule', 'ls', '--json')).json).toMatchObject([
    { name: 'hourly', state: 'paused', next: null },
  ]);
  expect((await world.pawl('schedule', 'resume', 'hourly')).code).toBe(0);
  expect((await world.pawl('schedule', 'ls')).stdout).toMatch(/hourly +every 1 h +running/);
  const unknown = await world.pawl('schedule', 'trigger', 'daily', '--json');
  expect(errorOf(unknown)).toMatchObject({ type: 'NotFound', hint: expect.stringContaining('pawl schedule apply') });
});
