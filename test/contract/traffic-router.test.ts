import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { embeddedRouter } from '../../adapters/router/embedded.ts';
import { httpRouter } from '../../adapters/router/http.ts';
import type { RouteOrder } from '../../adapters/router/port.ts';
import type { FencingToken } from '../../contracts/traffic.ts';
import { createRouteServer, isSigned } from '../../docs/examples/route-traffic.mjs';
import { appliedThenSilent, ROUTER_SECRET, type RouteFault, startRouteServer } from '../support/route-server.ts';
import { challenger, champion, describeTrafficRouter, split } from './traffic-router.ts';

describeTrafficRouter("the gateway's table in SQLite", async () => {
  const control = sqliteControl(':memory:');
  onTestFinished(() => control.close());
  const by = { actor: { kind: 'person', name: 'ada' }, reason: 'because' };
  let keys = 0;
  const order = (service: string) => ({ ...by, key: `scene-${++keys}`, service });
  const named = (service: string, variant: string) => (service === 'docs' ? variant : `${service}-${variant}`);
  const tokenOf = (answer: Awaited<ReturnType<typeof control.kill>>): FencingToken => {
    const { epoch = -1, promotion = -1 } = answer.state ?? {};
    return { epoch, promotion };
  };
  const router = embeddedRouter(control);
  const inStore = ({ arms, champion: of, ...rest }: RouteOrder) => ({
    ...rest,
    arms: arms.map((arm) => ({ ...arm, variant: named(rest.service, arm.variant) })),
    ...(of !== null && { champion: named(rest.service, of) }),
  });
  return {
    // A variant belongs to one service; the suite names two for all of them.
    router: {
      set: (one) => router.set(one),
      read: async (service) => {
        const route = await router.read(service);
        const plain = (variant: string): string => variant.replace(`${service}-`, '');
        return route && { ...route, arms: route.arms.map((arm) => ({ ...arm, variant: plain(arm.variant) })) };
      },
    },
    known: async (service) => {
      for (const id of [champion, challenger])
        await control.addVariant({
          ...{ id: named(service, id), service, origin: 'init', createdAt: '2026-11-21T00:00:00.000Z' },
          artifact: { uri: `artifact:sha256/${id}`, sha256: id },
        });
      await control.register({ ...order(service), champion: named(service, champion) });
      await control.setGold({ ...order(service), variant: named(service, champion) });
      await control.arm(order(service));
    },
    lane: async (service) => tokenOf(await control.grant({ ...order(service), cycle: 'si_2026_11_21_001' })),
    kill: async (service) => tokenOf(await control.kill(order(service))),
    tell: async (told) => {
      await control.shift({ ...by, cycle: 'si_2026_11_21_001', ...inStore(told) });
      return router.set(told);
    },
  };
});

describeTrafficRouter('the HTTP hook of a real server', async () => {
  const router = (await startRouteServer()).router();
  const tokens = new Map<string, FencingToken>();
  const next = (service: string, raise: (token: FencingToken) => FencingToken): FencingToken => {
    const token = raise(tokens.get(service) ?? { epoch: 0, promotion: 0 });
    tokens.set(service, token);
    return token;
  };
  return {
    router,
    known: async () => undefined,
    lane: async (service) => next(service, (token) => ({ ...token, promotion: token.promotion + 1 })),
    kill: async (service) => next(service, ({ epoch, promotion }) => ({ epoch: epoch + 1, promotion })),
    tell: (order) => router.set(order),
  };
});

test("the gateway's table refuses a token that the store has never granted", async () => {
  const control = sqliteControl(':memory:');
  onTestFinished(() => control.close());
  await control.addVariant({
    ...{ id: champion, service: 'docs', origin: 'init', createdAt: '2026-11-21T00:00:00.000Z' },
    artifact: { uri: `artifact:sha256/${champion}`, sha256: champion },
  });
  await control.register({
    ...{ key: 'k', service: 'docs', champion, actor: { kind: 'person', name: 'ada' }, reason: 'because' },
  });
  const { set } = embeddedRouter(control);
  await expect(set(order({ token: { epoch: 0, promotion: 1 } }))).rejects.toMatchObject({ type: 'Usage' });
  await expect(set(order({ service: 'nowhere' }))).rejects.toMatchObject({ type: 'NotFound' });
});

const order = (over: Partial<RouteOrder> = {}): RouteOrder => ({
  ...{ key: 'k1', service: 'docs', token: { epoch: 0, promotion: 1 }, arms: split(0.1), champion },
  ...over,
});

describe('a router behind HTTP that fails', () => {
  test('by applying a change without a word answers the same change, told again, with what it holds', async () => {
    const { router, faults, requests } = await startRouteServer();
    faults.push(appliedThenSilent);
    await expect(router({ timeoutMs: 300 }).set(order())).rejects.toMatchObject({
      type: 'Unavailable',
      message: expect.stringContaining('it took too long'),
    });
    expect(await router().set(order())).toMatchObject({ outcome: 'done', route: { arms: split(0.1) } });
    expect(requests).toHaveLength(2);
  });

  test.each([
    ['answers with 500', (response) => response.writeHead(500).end(), 'Unavailable', '500'],
    ['refuses for now', (response) => response.writeHead(503).end(), 'Unavailable', '503'],
    ['knows no such path', (response) => response.writeHead(404).end(), 'Refused', '404'],
    ['says nothing', (response) => response.writeHead(204).end(), 'Unavailable', 'says nothing'],
    ['answers with garbage', (response) => response.end('<html>hunter2</html>'), 'Unavailable', 'what it holds'],
    ['answers with half of it', (response) => response.end('{"token":{"epoch":0}}'), 'Unavailable', 'token.promotion'],
    [
      'holds shares that are none',
      (response) =>
        response.end('{"token":{"epoch":0,"promotion":1},"arms":[{"variant":"a","share":7}],"champion":null}'),
      'Unavailable',
      'arms.0.share',
    ],
    [
      'answers without an end',
      (response) => response.end(`"${'hunter2 '.repeat(20_000)}"`),
      'Unavailable',
      'no connection',
    ],
    ['breaks off', (response) => response.destroy(), 'Unavailable', 'did not answer'],
  ] as ReadonlyArray<[string, RouteFault, string, string]>)(
    '%s: an error that says so, and no more',
    async (_, fault, type, said) => {
      const { router, faults } = await startRouteServer();
      faults.push(fault);
      const error = await router()
        .set(order())
        .catch((wrong: Error) => wrong);
      expect(error).toMatchObject({ type, message: expect.stringContaining(said) });
      expect(`${error}${(error as Error).stack}`).not.toContain('hunter2');
    },
  );

  test.each([301, 302, 307, 308])('with a redirect (%d) is not followed', async (status) => {
    const inside = await startRouteServer();
    const { router, faults } = await startRouteServer();
    faults.push((response) => response.writeHead(status, { location: inside.hook }).end());
    const refused = { type: 'Refused', message: expect.stringContaining('redirect') };
    await expect(router().set(order())).rejects.toMatchObject(refused);
    expect(inside.requests).toEqual([]);
  });

  test('refuses what is signed with another secret, and what was changed on its way', async () => {
    const { router, requests } = await startRouteServer();
    const secret = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    const refused = { type: 'Refused', message: expect.stringContaining('401') };
    await expect(router({ secret }).set(order())).rejects.toMatchObject(refused);
    await expect(router({ secret }).read('docs')).rejects.toMatchObject(refused);
    expect(await router().read('docs')).toBeNull();
    expect(requests).toEqual([
      'POST /route?mesh=eu',
      'GET /route?mesh=eu&service=docs',
      'GET /route?mesh=eu&service=docs',
    ]);
  });

  test('signs method, path, time and body: none of them can be another', async () => {
    const { faults, router } = await startRouteServer();
    const seen: Array<Parameters<typeof isSigned>[0]> = [];
    faults.push((response, _, request) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
        response.writeHead(500).end();
      });
    });
    await router()
      .set(order())
      .catch(() => undefined);
    const [sent] = seen;
    if (!sent) throw new Error('nothing was sent');
    const secret = ROUTER_SECRET;
    const { headers } = sent;
    expect(isSigned(sent, { secret })).toBe(true);
    const others: ReadonlyArray<Partial<typeof sent>> = [
      { method: 'PUT' },
      { path: '/route?mesh=us' },
      { path: '/other?mesh=eu' },
      { body: sent.body.replace('0.1', '0.9') },
      { headers: { ...headers, 'pawl-timestamp': String(Number(headers['pawl-timestamp']) + 1) } },
      { headers: { ...headers, 'pawl-signature': String(headers['pawl-signature']).replace('v1,', '') } },
      { headers: {} },
    ];
    for (const other of others) expect(isSigned({ ...sent, ...other }, { secret })).toBe(false);
    expect(isSigned(sent, { secret, now: Date.now() + 301_000 })).toBe(false);
  });
});

describe('abuse: the address of a router', () => {
  const at = (hook: string, allow: readonly string[], lookup: (host: string) => Promise<LookupAddress[]>) =>
    httpRouter({ hook, allow }, { secret: async () => ROUTER_SECRET, now: Date.now, lookup });
  const to = (...addresses: readonly string[]) => {
    const asked: string[] = [];
    const lookup = async (host: string): Promise<LookupAddress[]> => {
      const address = addresses[Math.min(asked.length, addresses.length - 1)] ?? '';
      asked.push(host);
      return [{ address, family: 4 }];
    };
    return { lookup, asked };
  };

  test.each(['169.254.169.254', '127.0.0.1', '10.0.0.7'])('that resolves to %s is not called', async (address) => {
    const { lookup } = to(address);
    const refused = { type: 'Refused', message: expect.stringContaining('not a public address') };
    await expect(at('https://mesh.test/', [], lookup).set(order())).rejects.toMatchObject(refused);
    await expect(at('https://mesh.test/', [], lookup).read('docs')).rejects.toMatchObject(refused);
  });

  test('is not the metadata service, even where its host is allowed', async () => {
    const { lookup } = to('169.254.169.254');
    await expect(at('http://mesh.test/', ['mesh.test:80'], lookup).read('docs')).rejects.toMatchObject({
      type: 'Refused',
    });
  });

  test('is resolved once for a request: a name that answers differently next time is not asked again', async () => {
    const { port, requests } = await startRouteServer();
    const other = createServer();
    const called: string[] = [];
    other.on('request', (request, response) => {
      called.push(String(request.url));
      createRouteServer(ROUTER_SECRET).emit('request', request, response);
    });
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.2', resolve));
    onTestFinished(() => void other.close());
    const { lookup, asked } = to('127.0.0.1', '127.0.0.2');
    await at(`http://mesh.test:${port}/`, [`mesh.test:${port}`], lookup).set(order());
    expect({ asked, called, requests: requests.length }).toEqual({ asked: ['mesh.test'], called: [], requests: 1 });
  });
});
