import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { PawlError } from '../../contracts/failures.ts';
import { CHAMPION, createTestGateway, playedEngine } from '../support/gateway.ts';

const everything = { service: 'docs', from: 0, to: Number.MAX_SAFE_INTEGER };

test('a search answers with hits, scores, the variant and the time it took', async () => {
  const { get } = await createTestGateway();
  const { status, body, headers } = await get('/v1/search?q=hello&k=2');
  expect(status).toBe(200);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(body).toEqual({
    service: 'docs',
    answer: expect.stringMatching(/^[0-9a-f-]{36}$/),
    variant: CHAMPION,
    experiment: null,
    cached: false,
    latencyMs: expect.any(Number),
    hits: [
      { id: `${CHAMPION}/0`, score: expect.any(Number), title: '' },
      { id: `${CHAMPION}/1`, score: expect.any(Number), title: '' },
    ],
  });
});

test('what was served is logged with its ten best, however few were asked for, and with its cost', async () => {
  const { app, get, queryLog } = await createTestGateway({ now: () => 42 });
  await get('/v1/search?q=hello&k=1');
  await app.close();
  const [row, ...others] = await queryLog.read(everything);
  expect(others).toEqual([]);
  expect(row).toMatchObject({ at: 42, service: 'docs', variant: CHAMPION, query: 'hello', error: null });
  expect(row?.ranked).toHaveLength(10);
  expect(row?.cost).toBeCloseTo(0.001, 12); // 3.6 s of CPU at one dollar an hour.
  expect(row?.latencyMs).toBeGreaterThan(0);
});

test('who asks is kept as a hash where the request says so, and not at all where it does not', async () => {
  const { app, get, queryLog } = await createTestGateway({ subjectHash: (subject) => `hash of ${subject}` });
  await get('/v1/search?q=hello', { headers: { 'x-pawl-subject': 'jane' } });
  await get('/v1/search?q=hello');
  await app.close();
  const subjects = (await queryLog.read(everything)).map(({ subject }) => subject);
  expect(subjects.toSorted()).toEqual(['hash of jane', undefined]);
});

test('a secret that cannot be read costs the log who asked, and no request', async () => {
  const subjectHash = () => {
    throw new PawlError('Unavailable', 'subjects.key cannot be read');
  };
  const { app, get, queryLog, lines } = await createTestGateway({ subjectHash });
  expect((await get('/v1/search?q=hello', { headers: { 'x-pawl-subject': 'jane' } })).status).toBe(200);
  await app.close();
  expect(await queryLog.read(everything)).toMatchObject([{ query: 'hello' }]);
  expect(lines.some(({ message }) => message.includes('not kept'))).toBe(true);
});

test('abuse 64: a request that fails tells the log where, and not what was asked', async () => {
  const { get, engine, lines } = await createTestGateway();
  engine.plays.set(CHAMPION, async () => {
    throw new Error('no such table');
  });
  await get('/v1/search?q=my+secret+question');
  const failed = lines.filter(({ message }) => message === 'a request failed');
  expect(failed.map(({ about }) => about.url)).toEqual(['/v1/search']);
});

test('a search that fails is an error of the gateway, is logged as one, and tells the client nothing of the inside', async () => {
  const { app, get, queryLog, engine, lines } = await createTestGateway();
  engine.plays.set(CHAMPION, async () => {
    throw new Error('SECRET: no such table');
  });
  const { status, text, body } = await get('/v1/search?q=hello');
  expect({ status, type: body.error.type }).toEqual({ status: 500, type: 'Internal' });
  expect(text).not.toContain('SECRET');
  expect(lines.some(({ about }) => String(about.err).includes('SECRET'))).toBe(true);
  await app.close();
  expect(await queryLog.read(everything)).toMatchObject([{ variant: CHAMPION, error: 'Internal', ranked: [] }]);
});

test.each([
  ['no question', '/v1/search'],
  ['an empty one', '/v1/search?q='],
  ['white space', '/v1/search?q=%20%09'],
  ['one of more than 2,000 characters', `/v1/search?q=${'x'.repeat(2_001)}`],
  ['a NUL', '/v1/search?q=a%00b'],
  ['an escape sequence', '/v1/search?q=%1b%5b31mred'],
  ['a C1 control', '/v1/search?q=%c2%9b31m'],
  ['two questions', '/v1/search?q=a&q=b'],
  ['no hits at all', '/v1/search?q=a&k=0'],
  ['too many hits', '/v1/search?q=a&k=101'],
  ['half a hit', '/v1/search?q=a&k=1.5'],
  ['hits that are no number', '/v1/search?q=a&k=many'],
])('a question that makes no sense is refused in the one shape of errors: %s', async (_, path) => {
  const { get, app, queryLog } = await createTestGateway();
  const { status, body } = await get(path);
  expect({ status, body }).toEqual({
    status: 400,
    body: { error: { type: 'Usage', message: expect.any(String), hint: expect.any(String) } },
  });
  await app.close();
  expect(await queryLog.read(everything)).toEqual([]);
});

test.each([
  ['quotes and operators of full-text search', '"a" OR NEAR(b c, 2) -d col:e* ^f'],
  ['SQL', `'; DROP TABLE documents; --`],
  ['markup', '<script>alert(1)</script>'],
  ['names of the prototype', '__proto__ constructor'],
  ['emoji and other scripts', '検索 🔍 поиск'],
  ['lines', 'one\ntwo\tthree'],
])('a question may hold anything that people write: %s', async (_, q) => {
  const { app, get, queryLog } = await createTestGateway();
  expect((await get(`/v1/search?q=${encodeURIComponent(q)}`)).status).toBe(200);
  await app.close();
  expect(await queryLog.read(everything)).toMatchObject([{ query: q }]);
});

test.each([
  ['broken percent signs', '/v1/search?q=%zz%'],
  ['bytes that are no UTF-8', '/v1/search?q=%ff%fe'],
  ['a path out of the tree', '/v1/../../etc/passwd'],
  ['an encoded one', '/v1/%2e%2e/%2f'],
  ['broken percent signs in the path', '/%zz'],
  ['parameters with names of the prototype', '/v1/search?q=a&__proto__[x]=1&constructor=2'],
])('odd addresses are answered, never with a 5xx: %s', async (_, path) => {
  const { port } = await createTestGateway();
  const answer = await raw(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 [24]\d\d /);
});

test('an odd Content-Type on a question changes nothing', async () => {
  const { port } = await createTestGateway();
  for (const type of ['text/html', 'application/x-www-form-urlencoded', 'multipart/form-data', ';;;', '\u00ff']) {
    const head = `GET /v1/search?q=a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\n`;
    expect(await raw(port, `${head}Content-Length: 2\r\n\r\n{}`)).toMatch(/^HTTP\/1\.1 200 /);
  }
});

test('a body where none belongs, a method that does not exist and an unknown path get the one shape of errors', async () => {
  const { get } = await createTestGateway();
  const shape = { error: { type: expect.any(String), message: expect.any(String), hint: expect.any(String) } };
  const post = await get('/v1/traffic', { method: 'POST', body: '{', headers: { 'content-type': 'odd/thing' } });
  expect(post).toMatchObject({ status: 404, body: shape });
  expect(await get('/nothing/here')).toMatchObject({ status: 404, body: shape });
  expect(await get('/v1/search?q=a', { method: 'DELETE' })).toMatchObject({ status: 404, body: shape });
});

test('what is no HTTP, or has too long a head, is refused in the same shape before it is a request', async () => {
  const { port } = await createTestGateway();
  for (const [request, status] of [
    ['hello\r\n\r\n', 400],
    [`GET /v1/search?q=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc', 400],
  ] as const) {
    const answer = await raw(port, request);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1))).toMatchObject({
      error: { type: 'Usage' },
    });
  }
});

test('where several services are served, a question says which; an unknown one is not found', async () => {
  const services = ['docs', 'shop'].map((service) => ({ service, engine: playedEngine(), cpuHour: 1 }));
  const { get } = await createTestGateway({ services });
  expect((await get('/v1/search?q=a&service=docs')).status).toBe(200);
  const none = await get('/v1/search?q=a');
  expect(none).toMatchObject({ status: 400, body: { error: { hint: expect.stringContaining('docs, shop') } } });
  expect(await get('/v1/search?q=a&service=nope')).toMatchObject({
    status: 404,
    body: { error: { type: 'NotFound' } },
  });
  const unregistered = await get('/v1/search?q=a&service=shop');
  expect(unregistered).toMatchObject({ status: 503, body: { error: { hint: expect.stringContaining('pawl init') } } });
});

test('closing does not wait for somebody who is connected and says nothing', async () => {
  const { app, port } = await createTestGateway({ arrivalMs: 120_000 });
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  const gone = once(silent, 'close');
  await app.close();
  await gone;
});

test('closing answers what is in flight, takes it into the log, and lets nobody else in', async () => {
  const { app, get, engine, queryLog } = await createTestGateway();
  let arrived = () => {};
  const here = new Promise<void>((resolve) => (arrived = resolve));
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  engine.plays.set(CHAMPION, async () => {
    arrived();
    await released;
    return { hits: [], cpuMs: 0 };
  });
  const inFlight = get('/v1/search?q=slow');
  await here;
  const closed = app.close();
  await expect.poll(() => app.server.listening).toBe(false);
  await expect(get('/health')).rejects.toThrow();
  release();
  expect((await inFlight).status).toBe(200);
  await closed;
  expect(await queryLog.read(everything)).toMatchObject([{ query: 'slow' }]);
});

test('a log that cannot take rows fails no request', async () => {
  const full = { append: async () => Promise.reject(new PawlError('DiskFull', 'full')), prune: async () => 0 };
  const { get, app } = await createTestGateway({ queryLog: full });
  for (let n = 0; n < 20; n += 1) expect((await get('/v1/search?q=a')).status).toBe(200);
  await app.close();
});

/** What came over the wire for these very bytes. */
const raw = (port: number, request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(request, 'latin1'));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
