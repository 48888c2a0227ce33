import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliWorld, createCliWorld, errorOf } from './cli-world.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await createCliWorld();
  await world.pawl('gold', 'set', '--reason', 'for the test');
  await world.pawl('rearm', '--reason', 'for the test');
}, 120_000);
afterAll(() => world.end());

const state = () => world.control.state('docs');
const rearmed = async () => {
  const { code, stderr } = await world.pawl('rearm', '--reason', 'mended');
  expect({ code, stderr }).toMatchObject({ code: 0 });
};

test('kill asks the guardian, and gold serves', async () => {
  const { code, json } = await world.pawl('kill', '--reason', 'wrong answers', '--json');
  expect({ code, json }).toMatchObject({ code: 0, json: { service: 'docs', way: 'guardian' } });
  expect(await state()).toMatchObject({ latch: 'killed', because: 'wrong answers', epoch: 1 });
  await rearmed();
});

test('kill needs a reason', async () => {
  const ran = await world.pawl('kill', '--json');
  expect({ code: ran.code, type: errorOf(ran).type }).toEqual({ code: 2, type: 'Usage' });
  expect(await state()).toMatchObject({ latch: 'armed' });
});

test('--break-glass goes past Temporal, and the guardian learns of it', async () => {
  const { code, json } = await world.pawl('kill', '--break-glass', '--reason', 'incident', '--json');
  expect({ code, json }).toMatchObject({ code: 0, json: { way: 'break-glass' } });
  expect(await state()).toMatchObject({ latch: 'killed', epoch: 2 });
  const refused = await world.pawl('cycle', 'start');
  expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('the service is killed (incident)') });
  await rearmed();
});

test('--all goes through the kill switch, and lifting it leaves each service killed', async () => {
  const { code, json } = await world.pawl('kill', '--all', '--reason', 'incident', '--json');
  expect({ code, json }).toMatchObject({ code: 0, json: { service: null, way: 'kill switch' } });
  const refused = await world.pawl('rearm', '--reason', 'too early', '--json');
  expect({ code: refused.code, type: errorOf(refused).type }).toEqual({ code: 5, type: 'Refused' });
  expect((await world.pawl('rearm', '--all', '--reason', 'over')).code).toBe(0);
  expect(await state()).toMatchObject({ latch: 'killed' });
  await rearmed();
});

test('a service that nobody knows is not killed in silence', async () => {
  const ran = await world.pawl('kill', 'elsewhere', '--break-glass', '--reason', 'x', '--json');
  expect({ code: ran.code, type: errorOf(ran).type }).toEqual({ code: 4, type: 'NotFound' });
});

test('with no worker to answer, kill falls to break-glass by itself', async () => {
  await world.stopWorkers();
  const { code, stderr, json } = await world.pawl('kill', '--reason', 'nobody answers', '--json');
  expect({ code, json, stderr }).toMatchObject({ code: 0, json: { way: 'break-glass' } });
  expect(await state()).toMatchObject({ latch: 'killed', because: 'nobody answers' });
  await world.startWorkers();
  await rearmed();
});

test('with Temporal gone, kill says so and kills in the store; other commands end with a clear error', async () => {
  await world.stopWorkers();
  await world.stopTemporal();
  const killed = await world.pawl('kill', '--reason', 'Temporal is gone');
  expect(killed).toMatchObject({ code: 0, stdout: expect.stringContaining('break-glass') });
  expect(killed.stderr).toContain('Temporal is not reachable');
  expect(await state()).toMatchObject({ latch: 'killed', because: 'Temporal is gone' });
  const { code, stdout } = await world.pawl('status');
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('docs is killed') });
  const started = await world.pawl('cycle', 'start', '--json');
  expect({ code: started.code, type: errorOf(started).type }).toEqual({ code: 8, type: 'Unavailable' });
});
