/** Abuse of the gateway over HTTP, on real sockets. Keys are real; what they may is decided by the shipped policies. */
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { parseConfig } from '../../adapters/service/config.ts';
import { bearer, by, issue, memoryKeys, testAccess } from '../support/access.ts';
import { createTestGateway } from '../support/gateway.ts';
import { rawAnswer, statusesIn } from '../support/raw-http.ts';

const ASK = '/v1/search?q=hello';

const closed = async (over: Parameters<typeof testAccess>[0] = {}, more: { arrivalMs?: number } = {}) => {
  const { keys } = memoryKeys();
  const gateway = await createTestGateway({ access: testAccess({ mode: 'keys', keys, ...over }), ...more });
  const admin = await issue(keys, { role: 'admin' });
  const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    gateway.get(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : new Uint8Array(body),
      headers: { ...bearer(admin.token).headers, 'content-type': 'application/json', ...headers },
    });
  const isAlive = async () => (await gateway.get(ASK, bearer(admin.token))).status === 200;
  return { ...gateway, keys, admin, post, isAlive };
};
const KEY = JSON.stringify({ name: 'one', role: 'reader' });

test('abuse 9: a key in an address is refused, whatever the parameter is called and however it is written', async () => {
  const { get, admin } = await closed();
  const secret = admin.token;
  for (const path of [
    `${ASK}&api_key=${secret}`,
    `${ASK}&token=abc`,
    `${ASK}&access_token=abc`,
    `${ASK}&X-API-Key=abc`,
    `/v1/search?q=${secret}`,
    `/v1/search?q=${encodeURIComponent(secret).replace('_', '%5f')}`,
    `/v1/keys/${secret}/rotate`,
    `/nowhere/${secret}`,
  ]) {
    const { status, text, body } = await get(path, bearer(secret));
    expect([path, status, body.error.hint]).toEqual([path, 400, expect.stringContaining('Authorization: Bearer')]);
    expect(text).not.toContain(secret.slice(-64));
  }
});

test('abuse 11: an unknown key, a wrong secret, a revoked and an expired key are told apart by nothing', async () => {
  const { get, keys, admin } = await closed();
  const [revoked, expired] = [await issue(keys), await issue(keys, { lifeMs: -1 })];
  await keys.revoke(revoked.key.id, by);
  const wrong = admin.token.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  const unknown = admin.token.replace(admin.key.id, 'f'.repeat(16));
  const answers = [];
  for (const token of [wrong, unknown, revoked.token, expired.token, 'nonsense']) {
    const { status, text, headers } = await get(ASK, bearer(token));
    answers.push({ status, text, headers: [...headers.keys()].sort() });
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 401 });
});

test('abuse 16: a new home has no key and no password, and opens nothing to the network by itself', async () => {
  const { store } = memoryKeys();
  expect(await store.keys()).toEqual([]);
  const said = (gateway: string) =>
    parseConfig(
      `service: docs\nenvironment: dev\ndata:\n  corpus: c\n  queries: q\n  judgements: { train: a, test: b }\ngateway: ${gateway}\n`,
      'pawl.yaml',
    );
  expect(() => said('{ host: 0.0.0.0, access: open }')).toThrow(/gateway\.access: expected keys, because its host/);
  expect(said('{ host: 0.0.0.0, access: keys }').gateway.access).toBe('keys');
  expect(said('{ host: "::1", access: open }').gateway.access).toBe('open');
});

test('abuse 18: a page from elsewhere can make a browser ask, and not change anything nor read the answer', async () => {
  const { get } = await closed({ mode: 'open' });
  // What a page can send without asking the gateway first: a form, and a text that only looks like JSON.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const sent = { method: 'POST', body: KEY, headers: { 'content-type': type, origin: 'https://evil.example' } };
    expect((await get('/v1/keys/claim', sent)).status).toBe(415);
  }
  const preflight = await get('/v1/keys', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } });
  expect(preflight.status).toBe(404);
  const { headers } = await get(ASK, { headers: { origin: 'https://evil.example' } });
  expect(headers.has('access-control-allow-origin')).toBe(false);
  expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
});

test('abuse 19, 20: a key of one tenant neither sees nor changes what belongs to another', async () => {
  const { get, post, keys, admin } = await closed();
  const other = await issue(keys, { tenant: 'acme', role: 'admin', name: 'of acme' });
  expect((await get('/v1/keys', bearer(admin.token))).text).not.toContain('of acme');
  const [theirs, nobodys] = [`/v1/keys/${other.key.id}`, `/v1/keys/${'f'.repeat(16)}`];
  const remove = { method: 'DELETE', ...bearer(admin.token) };
  const told = ({ status, text }: { status: number; text: string }) => [status, text.replaceAll(/[0-9a-f]{16}/g, 'ID')];
  expect(told(await get(theirs, remove))).toEqual(told(await get(nobodys, remove)));
  expect(told(await post(`${theirs}/rotate`, '{}'))).toEqual(told(await post(`${nobodys}/rotate`, '{}')));
  expect((await get(theirs, remove)).status).toBe(404);
  expect(await get('/v1/keys', bearer(other.token))).toMatchObject({ body: [{ name: 'of acme', revokedAt: null }] });
  expect((await get(`${ASK}&tenant=acme`, bearer(admin.token))).status).toBe(400);
  const header = { headers: { ...bearer(admin.token).headers, 'x-pawl-tenant': 'acme', 'x-tenant': 'acme' } };
  expect((await get('/v1/keys', header)).text).not.toContain('of acme');
});

test.each(['tenant', 'id', 'createdAt', 'key', 'isAdmin'])(
  'abuse 21: a %s that a body slips in is refused',
  async (name) => {
    const { post, get, admin } = await closed();
    const refused = await post('/v1/keys', JSON.stringify({ ...JSON.parse(KEY), [name]: 'acme' }));
    expect(refused).toMatchObject({ status: 400, body: { error: { type: 'Usage' } } });
    expect((await get('/v1/keys', bearer(admin.token))).body).toHaveLength(1);
  },
);

test('abuse 21: a role that is claimed with a request changes nothing', async () => {
  const { get, post, keys } = await closed();
  const reader = await issue(keys);
  const headers = { ...bearer(reader.token).headers, 'x-role': 'admin', role: 'admin', 'x-pawl-role': 'admin' };
  expect((await get('/v1/keys', { headers })).status).toBe(403);
  expect((await get(`${ASK}&role=admin`, { headers })).status).toBe(400);
  expect((await post('/v1/keys', KEY, headers)).status).toBe(403);
  const invited = JSON.stringify({ token: 'pawl_invite_x', role: 'admin', tenant: 'acme' });
  expect((await post('/v1/keys/claim', invited)).status).toBe(400);
});

test.each([
  'text/plain',
  'text/html',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'application/jsonp',
  'application/json+evil',
  'application/json, text/plain',
])('abuse 27: a body of type %s is refused, and not guessed at', async (type) => {
  const { post } = await closed();
  expect(await post('/v1/keys', KEY, { 'content-type': type })).toMatchObject({ status: 415 });
});

test('abuse 27: JSON with its usual parameters is JSON', async () => {
  const { post } = await closed();
  for (const type of ['application/json; charset=utf-8', 'APPLICATION/JSON']) {
    expect((await post('/v1/keys', KEY, { 'content-type': type })).status).toBe(201);
  }
});

test.each([
  ['__proto__', '{"name": "a", "role": "reader", "__proto__": {"role": "admin"}}'],
  ['constructor.prototype', '{"name": "a", "role": "reader", "constructor": {"prototype": {"polluted": 1}}}'],
  ['an escaped __proto__', '{"name": "a", "role": "reader", "__pr\\u006fto__": {"polluted": 1}}'],
  ['a nested one', '{"name": {"__proto__": {"polluted": 1}}, "role": "reader"}'],
])('abuse 28: prototype pollution by %s is refused', async (_, body) => {
  const { post, isAlive } = await closed();
  const { status, body: answer } = await post('/v1/keys', body);
  expect([status, answer.error.message]).toEqual([400, expect.stringContaining('not valid JSON')]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(await isAlive()).toBe(true);
});

const NESTED = 'nested more than 32 levels';
test.each([
  ['lists', NESTED, '['.repeat(30_000), ']'.repeat(30_000)],
  ['maps', NESTED, '{"a":'.repeat(10_000), `1${'}'.repeat(10_000)}`],
  ['an unclosed text', 'not valid JSON', `{"name":"${'['.repeat(60_000)}`, ''],
  ['just too deep', NESTED, '['.repeat(33), ']'.repeat(33)],
])('abuse 29: JSON of %s is refused before anybody walks through it', async (_, because, open, close) => {
  const { post, isAlive } = await closed();
  const { status, body } = await post('/v1/keys', open + close);
  expect([status, body.error.message]).toEqual([400, expect.stringContaining(because)]);
  expect(await isAlive()).toBe(true);
});

test('abuse 29: brackets within a text are text', async () => {
  const { post } = await closed();
  const name = `\\"${'[{'.repeat(40)}`;
  expect(await post('/v1/keys', JSON.stringify({ name, role: 'reader' }))).toMatchObject({
    status: 201,
    body: { key: { name } },
  });
});

test('abuse 30: compressed bodies are not unpacked, and long ones not read to their end', async () => {
  const { post, isAlive } = await closed();
  const bomb = gzipSync(Buffer.alloc(20_000_000, ' '));
  for (const encoding of ['gzip', 'br', 'deflate', 'gzip, gzip', 'identity, gzip']) {
    expect((await post('/v1/keys', bomb, { 'content-encoding': encoding })).status).toBe(415);
  }
  expect((await post('/v1/keys', KEY, { 'content-encoding': 'identity' })).status).toBe(201);
  const long = await post('/v1/keys', JSON.stringify({ name: 'x'.repeat(70_000), role: 'reader' }));
  expect(long.status).toBe(413);
  expect(await isAlive()).toBe(true);
});

test('abuse 32: no text of a request makes a header of the answer', async () => {
  const { port, admin, app } = await closed();
  const auth = `Authorization: Bearer ${admin.token}\r\n`;
  const evil = 'x%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0a<script>';
  for (const path of [`/v1/search?q=${evil}`, `/${evil}`, `/v1/search?q=a&service=${evil}`, `/v1/keys/${evil}`]) {
    const answer = await rawAnswer(port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${auth}Connection: close\r\n\r\n`);
    expect(statusesIn(answer)).toHaveLength(1);
    expect(answer.slice(0, answer.indexOf('\r\n\r\n'))).not.toMatch(/set-cookie/i);
  }
  // A line that goes on, a bare line end, and a NUL within a header are no headers at all.
  for (const header of ['X-Pawl-Subject: a\r\n b: c', 'X-Pawl-Subject: a\nSet-Cookie: b', 'X-Pawl-Subject: a\0b']) {
    const answer = await rawAnswer(port, `GET ${ASK} HTTP/1.1\r\nHost: x\r\n${auth}${header}\r\n\r\n`);
    expect([header, ...statusesIn(answer)]).toEqual([header, 400]);
  }
  expect(app.server.listening).toBe(true);
});

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const SMUGGLED = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
test.each([
  ['a length and chunks', `Content-Length: 5\r\n${CHUNKED}\r\n0\r\n\r\n${SMUGGLED}`],
  ['chunks and a length', `${CHUNKED}Content-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['two lengths', `Content-Length: 0\r\nContent-Length: 34\r\n\r\n${SMUGGLED}`],
  ['a length with a sign', `Content-Length: +0\r\n\r\n${SMUGGLED}`],
  ['a list of lengths', `Content-Length: 0, 34\r\n\r\n${SMUGGLED}`],
  ['a length in hex', `Content-Length: 0x0\r\n\r\n${SMUGGLED}`],
  ['an encoding that nobody knows', `Transfer-Encoding: xchunked\r\n\r\n${SMUGGLED}`],
  ['chunks that are not last', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['white space before the colon', `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
  ['a chunk whose size is no number', `${CHUNKED}\r\nzz\r\n\r\n${SMUGGLED}`],
  ['a chunk that is longer than it says', `${CHUNKED}\r\n1\r\nab\r\n0\r\n\r\n${SMUGGLED}`],
  ['lines that end in a bare line feed', `${CHUNKED}\r\n0\n\n${SMUGGLED}`],
])('abuse 33: a request with %s smuggles no other: one refusal, and the connection is over', async (_, rest) => {
  const { port, admin, isAlive } = await closed();
  const head = `POST /v1/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${admin.token}\r\nContent-Type: application/json\r\n`;
  const answer = await rawAnswer(port, head + rest);
  expect(statusesIn(answer)).toEqual([400]);
  expect(answer).not.toContain('"status":"ok"');
  expect(await isAlive()).toBe(true);
});

test.each([
  ['half a head', 'GET /v1/search?q=a HTTP/1.1\r\nHost: x\r\nX-Slow: '],
  [
    'half a body',
    'POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"na',
  ],
])('abuse 34: a client that sends %s and waits is cut off, and keeps nobody else waiting', async (_, part) => {
  const { port, isAlive, admin } = await closed({}, { arrivalMs: 400 });
  const auth = `Authorization: Bearer ${admin.token}\r\n`;
  const request = part.replace('Host: x\r\n', `Host: x\r\n${auth}`);
  const slow = Array.from({ length: 50 }, () => rawAnswer(port, request));
  expect(await isAlive()).toBe(true);
  for (const answer of await Promise.all(slow)) expect(statusesIn(answer)).toEqual([408]);
});

test('abuse 35: texts that are made for regular expressions to get lost in are answered like others', async () => {
  const { get, post, admin } = await closed();
  const long = 14_000;
  for (const part of ['a', ' ', '\t', '-', 'pawl_', '%', '?&', 'key', '((', '&&token', '"', '\\', '.'.repeat(10)]) {
    const text = part.repeat(Math.floor(long / part.length));
    const headers = { authorization: `Bearer ${text.trim()}!`, host: text.trim() };
    expect((await get(ASK, { headers: { authorization: headers.authorization } })).status).toBe(401);
    expect(
      (await get(`/v1/search?q=${encodeURIComponent(text.slice(0, 1_900))}!`, bearer(admin.token))).status,
    ).toBeLessThan(500);
    expect((await post('/v1/keys', JSON.stringify({ name: text, role: 'reader' }))).status).toBeLessThan(500);
    expect((await post('/v1/keys/claim', JSON.stringify({ token: text, name: 'a' }))).status).toBeLessThan(500);
  }
});

test('a parameter that nobody knows is refused, and not left out', async () => {
  const { get, admin } = await closed();
  for (const path of [`${ASK}&fliter=x`, '/v1/traffic?servce=docs', '/v1/keys?all=1', '/metrics?x=1', '/health?x=1']) {
    const { status, body } = await get(path, bearer(admin.token));
    expect([path, status, body.error.type]).toEqual([path, 400, 'Usage']);
  }
});

test('too many requests of one key are refused with the time to wait, and other keys are not', async () => {
  const { get, keys } = await closed({ rates: { perAddress: null, perKey: 5 } });
  const [one, two] = [await issue(keys), await issue(keys)];
  const statuses = [];
  for (let n = 0; n < 7; n += 1) statuses.push((await get(ASK, bearer(one.token))).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
  const { headers, body } = await get(ASK, bearer(one.token));
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body).toEqual({ error: { type: 'Refused', message: expect.any(String), hint: expect.any(String) } });
  expect((await get(ASK, bearer(two.token))).status).toBe(200);
});

test('abuse 44: X-Forwarded-For gives nobody another address, but by a proxy that is trusted', async () => {
  const rates = { perAddress: 3, perKey: 1_000 };
  const ask = async ({ app }: Awaited<ReturnType<typeof closed>>, forwarded: string, remoteAddress: string) => {
    const headers = { 'x-forwarded-for': forwarded, 'x-real-ip': forwarded, forwarded: `for=${forwarded}` };
    return (await app.inject({ url: '/health', headers, remoteAddress })).statusCode;
  };
  const direct = await closed({ rates });
  const statuses = [];
  for (let n = 0; n < 5; n += 1) statuses.push(await ask(direct, `198.51.100.${n}`, '203.0.113.9'));
  expect(statuses).toEqual([200, 200, 200, 429, 429]);

  const behind = await closed({ rates, trustProxy: ['10.0.0.7'] });
  for (let n = 0; n < 5; n += 1) expect(await ask(behind, `198.51.100.${n}`, '10.0.0.7')).toBe(200);
  // What a client puts in front of what the proxy adds counts nothing, and a stranger is no proxy.
  const spoofed = [];
  for (let n = 0; n < 5; n += 1) spoofed.push(await ask(behind, `192.0.2.${n}, 198.51.100.200`, '10.0.0.7'));
  expect(spoofed).toEqual([200, 200, 200, 429, 429]);
  const stranger = [];
  for (let n = 0; n < 5; n += 1) stranger.push(await ask(behind, `192.0.2.${n}`, '203.0.113.10'));
  expect(stranger).toEqual([200, 200, 200, 429, 429]);
});

test('an IPv6 network counts as one address: whoever has one has them all', async () => {
  const { app } = await closed({ rates: { perAddress: 2, perKey: 1_000 } });
  const statuses = [];
  for (let n = 1; n <= 4; n += 1) {
    statuses.push((await app.inject({ url: '/health', remoteAddress: `2001:db8::${n}` })).statusCode);
  }
  expect(statuses).toEqual([200, 200, 429, 429]);
});

test('abuse 64: what a key is stands in no log and in no answer', async () => {
  const { get, post, lines, admin, engine, port, queryLog, app } = await closed();
  engine.plays.set('champion-1', async () => {
    throw new Error('it broke');
  });
  const secret = admin.token.slice(-64);
  const answers = [
    await get(ASK, bearer(admin.token)),
    await get(`/v1/search?q=${admin.token}`, bearer(admin.token)),
    await post('/v1/keys', `{"name": "${admin.token}"`),
    await post('/v1/keys', JSON.stringify({ name: 'a', role: admin.token, [admin.token]: 1 })),
    await post('/v1/keys/claim', JSON.stringify({ token: admin.token })),
    await get(ASK, bearer(`${admin.token}x`)),
  ].map(({ text }) => text);
  answers.push(await rawAnswer(port, `GET ${ASK} HTTP/1.1\r\nAuthorization: Bearer ${admin.token}\r\nbroken\r\n\r\n`));
  await app.close();
  const served = await queryLog.read({ service: 'docs', from: 0, to: Number.MAX_SAFE_INTEGER });
  const shown = [
    ...answers,
    JSON.stringify(served),
    ...lines.map((line) => JSON.stringify(line) + String(line.about.err)),
  ];
  expect(lines.map(({ message }) => message)).toContain('a request failed');
  for (const text of shown) expect(text).not.toContain(secret);
});

test('abuse 67: whatever is asked, the metrics have the same labels', async () => {
  const { get, admin, keys, app } = await closed();
  const series = async () =>
    (await get('/metrics', bearer(admin.token))).text.split('\n').filter((line) => line.startsWith('pawl_'));
  const names = (lines: readonly string[]) => lines.map((line) => line.slice(0, line.lastIndexOf(' '))).sort();
  const round = async (n: number) => {
    const { token } = await issue(keys, { name: `key ${n}`, tenant: `tenant-${n}` });
    await get(`/nowhere/${n}`);
    await get(`/v1/keys/${String(n).padStart(16, '0')}`, { method: 'DELETE', ...bearer(admin.token) });
    await get(`${ASK}${n}`, bearer(token));
    await get(`${ASK}&p${n}=1`, bearer(token));
    await app.inject({ method: 'GET', url: `/v1/search?service=s${n}&q=a`, headers: bearer(admin.token).headers });
  };
  await round(0);
  await series();
  const before = names(await series());
  for (let n = 1; n < 30; n += 1) await round(n);
  expect(names(await series())).toEqual(before);
});

test('abuse 68: metrics are for this machine, or for an admin’s key', async () => {
  const { app, keys, admin } = await closed();
  const reader = await issue(keys, { role: 'writer' });
  const ask = async (remoteAddress: string, headers: Record<string, string> = {}) =>
    (await app.inject({ url: '/metrics', remoteAddress, headers })).statusCode;
  expect(await ask('127.0.0.1')).toBe(200);
  expect(await ask('203.0.113.9')).toBe(401);
  expect(await ask('127.0.0.1', { 'x-forwarded-for': '203.0.113.9' })).toBe(401);
  expect(await ask('127.0.0.1', { host: 'metrics.example.com' })).toBe(401);
  expect(await ask('203.0.113.9', bearer(reader.token).headers)).toBe(403);
  expect(await ask('203.0.113.9', bearer(admin.token).headers)).toBe(200);
  for (const path of ['/debug', '/debug/pprof', '/_status', '/server-status', '/.env', '/actuator']) {
    expect((await app.inject({ url: path, remoteAddress: '203.0.113.9' })).statusCode).toBe(404);
  }
});
