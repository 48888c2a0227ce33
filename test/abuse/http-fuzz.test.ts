/**
 * Requests that nobody would send: valid ones with one to four things broken, over real sockets. None may get a 5xx or no
 * answer at all. A seed replays; REQUESTS is raised by hand for a long run.
 */
import { expect, test } from 'vitest';
import { sqliteDocuments } from '../../adapters/documents/sqlite.ts';
import { bearer, issue, memoryKeys, testAccess } from '../support/access.ts';
import { createTestGateway } from '../support/gateway.ts';
import { finalStatus, rawAnswer } from '../support/raw-http.ts';

const REQUESTS = 3_000;
const SEED = 20_261_121;
const AT_ONCE = 64;

/** mulberry32 */
const randomOf = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

interface Wire {
  method: string;
  target: string;
  readonly headers: Array<[string, string]>;
  body: string;
}

const ODD = [
  '',
  '0',
  '-1',
  '1e309',
  'NaN',
  'null',
  'true',
  '[]',
  '{}',
  '"',
  '\\',
  '%',
  '%00',
  '%ff%fe',
  '../../etc/passwd',
  "' OR 1=1 --",
  '" NEAR/2 (* AND ^',
  '<script>alert(1)</script>',
  '{{7*7}}#{7*7}',
  '__proto__',
  'constructor',
  'ünï©ode',
  'é'.repeat(300),
  '\u202e',
  '😀'.repeat(50),
  'x'.repeat(3_000),
  '['.repeat(400),
  '{"a":'.repeat(200),
  '9'.repeat(400),
] as const;

const valid = (pick: <T>(from: readonly T[]) => T, auth: string, id: string): Wire => {
  const json = (value: unknown): [string, string] => [JSON.stringify(value), 'application/json'];
  const [method, target, [body, type]] = pick<[string, string, [string, string]]>([
    ['GET', '/v1/search?q=hello&k=3', ['', '']],
    ['POST', '/v1/search', json({ query: 'hello', k: 3, filter: { year: { from: 1, to: 2 } } })],
    ['GET', '/v1/traffic?service=docs', ['', '']],
    ['GET', '/v1/documents?limit=3', ['', '']],
    ['PUT', '/v1/documents', json({ documents: [{ id: 'a', title: 'a', text: 'a b c', metadata: { year: 1 } }] })],
    ['POST', '/v1/documents/remove', json({ ids: ['a'] })],
    ['POST', '/v1/keys', json({ name: 'one', role: 'reader' })],
    ['POST', `/v1/keys/${id}/rotate`, json({ graceHours: 1 })],
    ['POST', '/v1/keys/claim', json({ token: 'pawl_invite_0' })],
    ['POST', '/v1/feedback', json({ kind: 'click', request: 'r', document: 'a', rank: 1 })],
    ['GET', '/v1/keys', ['', '']],
    ['GET', '/status', ['', '']],
    ['GET', '/metrics', ['', '']],
    ['GET', '/openapi.json', ['', '']],
    ['GET', '/health', ['', '']],
  ]);
  const headers: Wire['headers'] = [
    ['Host', 'localhost'],
    ['Authorization', auth],
    ['Connection', 'close'],
  ];
  if (body !== '') headers.push(['Content-Type', type]);
  return { method, target, headers, body };
};

/** Each breaks one thing, and may meet what another has broken already. */
const breaks = (random: () => number, pick: <T>(from: readonly T[]) => T): ReadonlyArray<(wire: Wire) => void> => {
  const within = (text: string, put: string): string => {
    const at = Math.floor(random() * (text.length + 1));
    return text.slice(0, at) + put + text.slice(at + Math.floor(random() * 8));
  };
  return [
    (wire) => {
      wire.method = pick([
        'GET',
        'POST',
        'PUT',
        'DELETE',
        'HEAD',
        'OPTIONS',
        'PATCH',
        'TRACE',
        'PURGE',
        'get',
        'X'.repeat(30),
      ]);
    },
    (wire) => {
      wire.target = within(wire.target, encodeURIComponent(pick(ODD).toWellFormed()));
    },
    (wire) => {
      wire.target = within(
        wire.target,
        pick(['//', '%2f', '%', '%zz', '?', '&&', '=', ';', '#', '%2e%2e/', '[', '+', '*']),
      );
    },
    (wire) => {
      wire.target += `${wire.target.includes('?') ? '&' : '?'}${pick(['q', 'k', 'service', '__proto__', 'x'])}=${encodeURIComponent(pick(ODD))}`;
    },
    (wire) => {
      wire.body = within(wire.body, pick(ODD));
    },
    (wire) => {
      wire.body = wire.body.replace(
        /:("[^"]*"|\d+|\[[^\]]*\])/,
        () => `:${pick([...ODD.map((odd) => JSON.stringify(odd)), '[]', '{}', 'null', '-1', '1e400', '0.1'])}`,
      );
    },
    (wire) => {
      wire.headers.push([
        pick([
          'X-Pawl-Subject',
          'X-Pawl-Variant',
          'X-API-Key',
          'Content-Encoding',
          'Accept',
          'Expect',
          'Range',
          'If-None-Match',
          'Upgrade',
          'Cookie',
          'Origin',
          'X-Forwarded-For',
          'Transfer-Encoding',
          'Accept-Version',
        ]),
        pick([...ODD, 'gzip', 'chunked', '100-continue', 'websocket', 'bytes=0-']),
      ]);
    },
    (wire) => {
      wire.headers.splice(Math.floor(random() * wire.headers.length), 1);
    },
    (wire) => {
      const header = pick(wire.headers);
      if (header) header[1] = within(header[1], pick(ODD));
    },
    (wire) => {
      wire.headers.push([
        'Content-Type',
        pick(['text/plain', 'application/json', 'application/json; charset=utf-7', '/', ';', '']),
      ]);
    },
    (wire) => {
      wire.headers.push(['Content-Length', pick(['0', '5', '99999', '-1', 'x', '1e3'])]);
    },
  ];
};

const bytesOf = ({ method, target, headers, body }: Wire): Buffer => {
  const said = headers.some(([name]) => name === 'Content-Length' || name === 'Transfer-Encoding');
  const length: Wire['headers'] = said || body === '' ? [] : [['Content-Length', String(Buffer.byteLength(body))]];
  const head = [...headers, ...length].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${head}\r\n${body}`);
};

test(`${REQUESTS.toLocaleString('en')} broken requests: each is answered, none with a 5xx, and the gateway serves on`, async () => {
  const { keys } = memoryKeys();
  const { token } = await issue(keys, { role: 'admin' });
  // Rotated again and again; the one that asks must hold to the end.
  const { key } = await issue(keys);
  const access = testAccess({ mode: 'keys', keys });
  const documents = new Map([['docs', sqliteDocuments(':memory:')]]);
  const { port, get, lines } = await createTestGateway({ access, documents, arrivalMs: 500 });
  const random = randomOf(SEED);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const how = breaks(random, pick);
  const answered = new Map<number, number>();
  const odd: string[] = [];

  const one = async (): Promise<void> => {
    const wire = valid(pick, `Bearer ${token}`, key.id);
    const count = Math.floor(random() * 5);
    for (let n = 0; n < count; n += 1) pick(how)(wire);
    const bytes = bytesOf(wire);
    const enough = (answer: string) => finalStatus(answer) !== undefined;
    const answer = await rawAnswer(port, bytes, enough).catch((error: Error) => error.message);
    const status = finalStatus(answer) ?? 0;
    answered.set(status, (answered.get(status) ?? 0) + 1);
    if (status === 0 || status >= 500) odd.push(`${bytes.toString('latin1').slice(0, 500)}\n→ ${answer.slice(0, 300)}`);
  };
  for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, one));

  expect(odd).toEqual([]);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  // Broken in every way, and not in one way only.
  expect([...answered.keys()]).toEqual(expect.arrayContaining([200, 400, 401, 404, 415]));
  expect((await get('/v1/search?q=hello', bearer(token))).status).toBe(200);
});
