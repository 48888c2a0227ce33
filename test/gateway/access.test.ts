import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { cedarPolicy } from '../../adapters/policy/cedar.ts';
import { PawlError } from '../../contracts/failures.ts';
import { guardAccess } from '../../gateway/access.ts';
import { bearer, by, issue, memoryKeys, testAccess } from '../support/access.ts';
import { createTestGateway, playedEngine } from '../support/gateway.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ASK = '/v1/search?q=hello';
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const shape = { error: { type: 'NotAllowed', message: expect.any(String), hint: expect.any(String) } };

const closed = async (over: Parameters<typeof testAccess>[0] = {}) => {
  const { keys, rows, store } = memoryKeys();
  const gateway = await createTestGateway({ access: testAccess({ mode: 'keys', keys, ...over }) });
  const as = async (role: 'reader' | 'writer' | 'admin', tenant = 'default') =>
    issue(keys, { role, tenant }).then(({ token, key }) => ({ ...bearer(token), token, key }));
  const send = (method: string, path: string, body: unknown, { headers } = bearer('')) =>
    gateway.get(path, {
      method,
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { ...gateway, keys, rows, keyStore: store, as, send };
};

describe('a gateway that asks for keys', () => {
  test('answers nothing without one but whether it is there, and what it understands', async () => {
    const { get } = await closed();
    for (const path of [ASK, '/v1/traffic', '/status', '/v1/documents', '/v1/keys']) {
      const { status, body, headers } = await get(path);
      expect({ path, status, body }).toEqual({ path, status: 401, body: shape });
      expect(headers.get('www-authenticate')).toContain('Bearer');
    }
    for (const path of ['/health', '/openapi.json']) expect((await get(path)).status).toBe(200);
  });

  test('takes a key in either header, and not in both', async () => {
    const { get, as } = await closed();
    const { token } = await as('reader');
    const ask = async (headers: Record<string, string>) => (await get(ASK, { headers })).status;
    expect(await ask({ authorization: `Bearer ${token}` })).toBe(200);
    expect(await ask({ authorization: `bearer ${token}` })).toBe(200);
    expect(await ask({ 'x-api-key': token })).toBe(200);
    expect(await ask({ authorization: `Bearer ${token}`, 'x-api-key': token })).toBe(400);
    expect(await ask({ authorization: `Basic ${btoa(`ada:${token}`)}` })).toBe(401);
  });

  test('says why it is not ready to whoever may look, and to nobody else', async () => {
    const { get, as, engine } = await closed();
    engine.index = () => ({ state: 'failed', because: 'the corpus is gone', corpus: null, documents: 0 });
    const told = await get('/ready', { headers: {} });
    expect(told.status).toBe(503);
    expect(told.text).not.toContain('corpus');
    const { headers } = await as('reader');
    expect((await get('/status', { headers })).text).toContain('the corpus is gone');
  });

  test.each([
    ['reader', { search: 200, metrics: 403, documents: 403, keys: 403 }],
    ['writer', { search: 200, metrics: 403, documents: 404, keys: 403 }],
    ['admin', { search: 200, metrics: 200, documents: 404, keys: 200 }],
  ] as const)('a %s does what the policies let it do', async (role, expected) => {
    const { get, as, send } = await closed();
    const key = await as(role);
    const far = { headers: { ...key.headers, 'x-forwarded-for': '203.0.113.9' } };
    // There is no store of documents here: whoever may change them gets as far as that.
    const put = await send('PUT', '/v1/documents', { documents: [{ id: 'a', text: 'a' }] }, key);
    const statuses = {
      search: (await get(ASK, key)).status,
      metrics: (await get('/metrics', far)).status,
      documents: put.status,
      keys: (await get('/v1/keys', key)).status,
    };
    expect(statuses).toEqual(expected);
  });

  test('whoever may not is told who may', async () => {
    const { get, as } = await closed();
    const { body } = await get('/v1/keys', await as('writer'));
    expect(body.error.message).toContain('a key of role admin may');
  });

  test('a revoked key opens nothing from the next request on', async () => {
    const { get, as, keys } = await closed();
    const reader = await as('reader');
    expect((await get(ASK, reader)).status).toBe(200);
    await keys.revoke(reader.key.id, by);
    expect((await get(ASK, reader)).status).toBe(401);
  });

  test('that a key is in use is remembered', async () => {
    const { get, as, keys, app } = await closed();
    const reader = await as('reader');
    expect((await keys.find(reader.key.id)).lastUsedAt).toBeNull();
    await get(ASK, reader);
    await app.close();
    expect((await keys.find(reader.key.id)).lastUsedAt).toMatch(/T\d\d:00:00\.000Z$/);
  });

  test('a store of keys that cannot be read lets nobody in', async () => {
    const { keys } = memoryKeys();
    const broken = { ...keys, callerOf: () => Promise.reject(new PawlError('Unavailable', 'access.db is gone')) };
    const { get } = await closed({ keys: broken });
    expect((await get(ASK, bearer('pawl_x'))).status).toBe(503);
  });
});

describe('a gateway that is open to its machine', () => {
  test('answers whoever is on it, and changes nothing without a key', async () => {
    const { get, send } = await closed({ mode: 'open' });
    for (const path of [ASK, '/v1/traffic', '/status', '/metrics']) expect((await get(path)).status).toBe(200);
    expect((await get('/v1/keys')).status).toBe(401);
    const anonymous = { headers: {} as { authorization: string } };
    expect((await send('PUT', '/v1/documents', { documents: [{ id: 'a', text: 'a' }] }, anonymous)).status).toBe(401);
  });

  test('holds whoever shows a key to it', async () => {
    const { get, as } = await closed({ mode: 'open' });
    expect((await get(ASK, bearer('pawl_wrong'))).status).toBe(401);
    expect((await get('/v1/keys', await as('reader'))).status).toBe(403);
  });

  test('abuse 41: a name that was made to mean this machine, and a proxy on it, get what strangers get', async () => {
    const { app } = await closed({ mode: 'open' });
    const ask = async (headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
      (await app.inject({ url: ASK, headers, remoteAddress })).statusCode;
    const here = ['localhost:8787', '127.0.0.1:8787', '[::1]:8787', 'gateway', 'pawl.localhost'];
    for (const host of here) expect([host, await ask({ host })]).toEqual([host, 200]);
    for (const host of ['evil.example:8787', '127.0.0.1.evil.example', 'evil.']) {
      expect([host, await ask({ host })]).toEqual([host, 401]);
    }
    expect(await ask({ host: 'localhost', 'x-forwarded-for': '127.0.0.1' })).toBe(401);
    expect(await ask({ host: 'localhost', forwarded: 'for=127.0.0.1' })).toBe(401);
    expect(await ask({ host: 'localhost' }, '203.0.113.9')).toBe(401);
    expect(await ask({ host: 'localhost' }, '::ffff:127.0.0.1')).toBe(200);
  });
});

describe('keys over HTTP', () => {
  test('an admin makes, rotates and revokes keys, and the ledger tells who', async () => {
    const { get, send, as, rows } = await closed();
    const admin = await as('admin');
    const made = await send('POST', '/v1/keys', { name: 'crawler', role: 'writer', expiresInHours: 1 }, admin);
    expect(made).toMatchObject({ status: 201, body: { key: { name: 'crawler', role: 'writer', tenant: 'default' } } });
    expect(made.headers.get('cache-control')).toBe('no-store');
    const { id } = made.body.key;
    expect((await get(ASK, bearer(made.body.token))).status).toBe(200);
    const rotated = await send('POST', `/v1/keys/${id}/rotate`, { graceHours: 0 }, admin);
    expect((await get(ASK, bearer(made.body.token))).status).toBe(401);
    expect((await get(ASK, bearer(rotated.body.token))).status).toBe(200);
    expect(await get(`/v1/keys/${id}`, { ...admin, method: 'DELETE' })).toMatchObject({ status: 200, body: { id } });
    expect((await get(ASK, bearer(rotated.body.token))).status).toBe(401);
    const listed = (await get('/v1/keys', admin)).text;
    expect(listed).toContain(id);
    expect(listed).not.toContain('hash');
    const ofIt = rows.filter(({ body }) => body.id === id);
    expect(ofIt.map(({ kind, actor }) => [kind, actor.name])).toEqual(
      ['created', 'rotated', 'revoked'].map((what) => [`api key ${what}`, admin.key.id]),
    );
  });

  test('an invitation gives one admin key to whoever has no key yet', async () => {
    const { get, send, keys } = await closed();
    const { token } = await keys.invite('acme', by);
    const nobody = { headers: {} as { authorization: string } };
    const claim = (shown: string) => send('POST', '/v1/keys/claim', { token: shown, name: 'ada' }, nobody);
    expect(await claim('pawl_invite_0')).toMatchObject({ status: 401, body: shape });
    const claimed = await claim(token);
    expect(claimed).toMatchObject({ status: 201, body: { key: { role: 'admin', tenant: 'acme', name: 'ada' } } });
    expect((await get('/v1/keys', bearer(claimed.body.token))).status).toBe(200);
    expect((await claim(token)).status).toBe(401);
  });
});

describe('decisions', () => {
  const counted = (home = '/nowhere') => {
    const policy = cedarPolicy({ home });
    let asked = 0;
    const decide: typeof policy.decide = (question) => {
      asked += 1;
      return policy.decide(question);
    };
    return { policy: { ...policy, decide }, asked: () => asked };
  };

  test('the policies are asked once for each different question', async () => {
    const { policy, asked } = counted();
    const { get, as } = await closed({ policy });
    const [one, two] = [await as('reader'), await as('reader')];
    for (let n = 0; n < 5; n += 1) expect((await get(ASK, one)).status).toBe(200);
    expect(asked()).toBe(1);
    await get(ASK, two);
    await get('/v1/traffic', one);
    expect(asked()).toBe(3);
  });

  test('what the policies say of one service holds wherever a request names it', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'policies'));
    const closedShop = `@id("own.closed") @because("the shop is closed")
forbid (principal, action, resource) when { resource.name == "shop" };`;
    writeFileSync(join(home, 'policies', 'own.cedar'), closedShop);
    const environments = new Map([
      ['docs', 'dev'],
      ['shop', 'dev'],
    ] as const);
    const services = ['docs', 'shop'].map((service) => ({ service, engine: playedEngine(), cpuHour: 1 }));
    const { keys } = memoryKeys();
    const access = testAccess({ mode: 'keys', keys, environments, policy: cedarPolicy({ home }) });
    const { get } = await createTestGateway({ access, services });
    const { headers } = bearer((await issue(keys)).token);
    const ask = async (service: string) => (await get(`${ASK}&service=${service}`, { headers })).status;
    const post = async (service: string) => {
      const sent = { method: 'POST', body: JSON.stringify({ query: 'hello', service }) };
      return (await get('/v1/search', { ...sent, headers: { ...headers, 'content-type': 'application/json' } })).status;
    };
    expect([await ask('docs'), await ask('shop'), await post('docs'), await post('shop')]).toEqual([
      200, 403, 200, 403,
    ]);
  });

  test('abuse 24: a route that does not say who may use it is not served', async () => {
    const app = Fastify();
    await guardAccess(app, { ...testAccess(), logger: silent });
    expect(() => app.get('/v1/secrets', async () => 'secret')).toThrow('/v1/secrets');
    app.get('/v1/open', { config: { access: 'anyone' } }, async () => 'open');
    await app.close();
  });
});
