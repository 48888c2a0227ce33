import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createControlActivities } from '../../activities/control.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { routersOf } from '../../adapters/router/of-service.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { Arm, TrafficChange } from '../../contracts/traffic.ts';
import { testPlan } from '../support/plan.ts';
import { servicesOf, shippedPolicy } from '../support/policy.ts';
import { appliedThenSilent, ROUTER_SECRET, type RouteServer, startRouteServer } from '../support/route-server.ts';
import { challengerOf, championOf, registerService } from '../support/world.ts';

const SERVICE = 'docs';
const CYCLE = 'si_2026_11_21_001';
const [champion, challenger] = [championOf(SERVICE), challengerOf(SERVICE)];
const half: readonly Arm[] = [
  { variant: champion, share: 0.5 },
  { variant: challenger, share: 0.5 },
];
const whole = [{ variant: champion, share: 1 }];

/** A service behind a router of its owner's, whose lane a cycle holds; the activities as a worker has them. */
const scene = async (server: RouteServer) => {
  const control = sqliteControl(':memory:');
  onTestFinished(() => control.close());
  await registerService(control, SERVICE);
  const given = { secret: ROUTER_SECRET, broken: false };
  const services = servicesOf(() => testPlan({ approval: null }));
  const routers = routersOf({
    ...{ control, now: Date.now },
    variables: new Proxy({}, { get: () => given.secret }),
    services: {
      config: async () => {
        if (given.broken) throw new PawlError('ConfigInvalid', 'pawl.yaml:3 is broken');
        return { folder: '/nowhere', router: { hook: server.hook, allow: [...server.allow], secret: { env: 'S' } } };
      },
    },
  });
  const deps = { control, services, policy: shippedPolicy, people: async () => [], now: Date.now };
  const worker = () => createControlActivities({ ...deps, routers });
  const by = { service: SERVICE, actor: { kind: 'cycle', name: CYCLE }, reason: 'canary 1: 50 %' };
  await control.note({ ...by, key: 'admitted', cycle: CYCLE, kind: 'cycle admitted', body: { approval: null } });
  const { state } = await control.grant({ ...by, key: 'lane', cycle: CYCLE });
  const token = { epoch: state?.epoch ?? 0, promotion: state?.promotion ?? 0 };
  const change = (over: Partial<TrafficChange> = {}): TrafficChange => ({
    ...{ ...by, key: 'step 1', cycle: CYCLE, token, arms: half },
    ...over,
  });
  const kill = { service: SERVICE, key: 'kill', actor: { kind: 'person', name: 'ada' }, reason: 'now' };
  const rows = async (kind: string) => (await control.ledger({ service: SERVICE, kind })).map(({ body }) => body.why);
  return { control, given, worker, change, kill, rows, token };
};
const silent = { type: 'Unavailable', message: expect.stringContaining('it took too long') };

test('a change of traffic reaches the router, and only then is it done', async () => {
  const server = await startRouteServer();
  const { worker, change, token } = await scene(server);
  expect(await worker().shiftTraffic(change())).toMatchObject({ outcome: 'done' });
  expect(await server.router().read(SERVICE)).toEqual({ token, arms: half, champion });
});

test('a router that has applied it without a word is told again, under the same key', async () => {
  const server = await startRouteServer();
  const { worker, change } = await scene(server);
  const { shiftTraffic } = worker();
  // The first two say that it refuses what is older.
  server.faults.push(
    (_, apply) => apply(),
    (_, apply) => apply(),
    appliedThenSilent,
  );
  await expect(shiftTraffic(change())).rejects.toMatchObject(silent);
  const before = server.requests.length;
  expect(await shiftTraffic(change())).toMatchObject({ outcome: 'done' });
  expect(server.requests.length).toBe(before + 1);
  expect((await server.router().read(SERVICE))?.arms).toEqual(half);
});

test('a worker that dies between store and router is mended by the next one', async () => {
  const server = await startRouteServer();
  const { control, worker, change } = await scene(server);
  await control.shift(change()); // and here the first one was killed
  expect(await server.router().read(SERVICE)).toBeNull();
  expect(await worker().shiftTraffic(change())).toMatchObject({ outcome: 'done' });
  expect((await server.router().read(SERVICE))?.arms).toEqual(half);
});

describe('a kill', () => {
  test('reaches the router, and what was decided before it does not any more', async () => {
    const server = await startRouteServer();
    const { worker, change, kill, token } = await scene(server);
    const activities = worker();
    server.faults.push(
      (_, apply) => apply(),
      (_, apply) => apply(),
      (response) => response.destroy(),
    );
    await expect(activities.shiftTraffic(change())).rejects.toMatchObject({ type: 'Unavailable' });
    await activities.kill(kill);
    const held = { token: { ...token, epoch: token.epoch + 1 }, arms: whole, champion };
    expect(await server.router().read(SERVICE)).toEqual(held);
    // The store made that change; the router, which is newer by now, stays where it is.
    expect(await activities.shiftTraffic(change())).toMatchObject({ outcome: 'done' });
    expect(await server.router().read(SERVICE)).toEqual(held);
  });

  test('is repeated until the router has heard it, whatever the router says, and the store is killed at once', async () => {
    const server = await startRouteServer();
    const { control, given, worker, kill } = await scene(server);
    given.secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    await expect(worker().kill(kill)).rejects.toMatchObject({ type: 'Unavailable', nonRetryable: false });
    expect(await control.state(SERVICE)).toMatchObject({ latch: 'killed' });
    given.secret = ROUTER_SECRET;
    expect(await worker().kill(kill)).toMatchObject({ outcome: 'done', state: { epoch: 1 } });
    expect(await server.router().read(SERVICE)).toMatchObject({ token: { epoch: 1 }, arms: whole });
  });

  test('of the fleet is told to each router', async () => {
    const server = await startRouteServer();
    const { control, worker, kill } = await scene(server);
    await registerService(control, 'shop');
    const { service: _, ...fleet } = kill;
    server.faults.push((response) => response.writeHead(500).end());
    await expect(worker().killAll(fleet)).rejects.toMatchObject({ type: 'Unavailable' });
    await worker().killAll(fleet);
    for (const service of [SERVICE, 'shop'])
      expect(await server.router().read(service)).toMatchObject({ token: { epoch: 1 } });
  });

  test('finds its router although somebody has broken pawl.yaml since, and without any tells that it knows none', async () => {
    const server = await startRouteServer();
    const { given, worker, kill, change, rows } = await scene(server);
    const seen = worker();
    await seen.shiftTraffic(change());
    given.broken = true;
    await seen.kill(kill);
    expect(await server.router().read(SERVICE)).toMatchObject({ token: { epoch: 1 }, arms: whole });
    expect(await rows('router unknown')).toEqual([]);

    const other = await scene(await startRouteServer());
    other.given.broken = true;
    expect(await other.worker().kill(other.kill)).toMatchObject({ outcome: 'done', state: { latch: 'killed' } });
    expect(await other.rows('router unknown')).toEqual([expect.stringContaining('broken')]);
  });

  test('gold that serves under the latch reaches the router as well', async () => {
    const server = await startRouteServer();
    const { worker, kill } = await scene(server);
    await worker().kill(kill);
    await worker().setGold({ ...kill, key: 'gold', variant: challenger });
    const arms = [{ variant: challenger, share: 1 }];
    expect(await server.router().read(SERVICE)).toMatchObject({ token: { epoch: 1 }, arms, champion: challenger });
  });
});

describe('nothing is given to a challenger through a router', () => {
  /** Takes whatever comes. */
  const careless = () =>
    createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => response.end(body));
    });

  test('that lets an older token pass', async () => {
    const { control, worker, change, rows } = await scene(await startRouteServer(careless()));
    const before = await control.state(SERVICE);
    expect(await worker().shiftTraffic(change())).toMatchObject({
      ...{ outcome: 'refused', because: 'router' },
      why: expect.stringContaining('does not compare and set'),
    });
    expect(await control.state(SERVICE)).toEqual(before);
    expect(await rows('router refused')).toEqual([expect.stringContaining('does not compare and set')]);
  });

  test('that holds something newer than the store: another home steers it', async () => {
    const server = await startRouteServer();
    const { control, worker, change } = await scene(server);
    await server.router().set({ key: 'x', service: SERVICE, token: { epoch: 3, promotion: 9 }, arms: whole, champion });
    const before = await control.state(SERVICE);
    const why = expect.stringContaining('it holds 3.9');
    expect(await worker().shiftTraffic(change())).toMatchObject({ outcome: 'refused', because: 'router', why });
    expect(await control.state(SERVICE)).toEqual(before);
  });

  test('that refuses our signature; one that is only away is asked again', async () => {
    const server = await startRouteServer();
    const { control, given, worker, change } = await scene(server);
    given.secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    const before = await control.state(SERVICE);
    expect(await worker().shiftTraffic(change())).toMatchObject({ outcome: 'refused', because: 'router' });
    server.faults.push((response) => response.writeHead(503).end());
    given.secret = ROUTER_SECRET;
    await expect(worker().shiftTraffic(change())).rejects.toMatchObject({ type: 'Unavailable', nonRetryable: false });
    expect(await control.state(SERVICE)).toEqual(before);
    expect(await worker().shiftTraffic(change())).toMatchObject({ outcome: 'done' });
  });
});

test('a way back asks a router for nothing but to take it', async () => {
  const server = await startRouteServer();
  const { control, worker, change } = await scene(server);
  await control.shift(change());
  await worker().shiftTraffic(change({ key: 'restore', arms: whole }));
  expect(server.requests).toHaveLength(1);
  expect((await server.router().read(SERVICE))?.arms).toEqual(whole);
});
