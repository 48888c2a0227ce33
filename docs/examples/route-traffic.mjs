/**
 * A router that Pawl steers: it holds what was told last, and refuses whatever is older.
 *
 *     openssl rand -base64 32 > secret.txt      # `router: { hook: …, secret: { file: secret.txt } }` in pawl.yaml
 *     node route-traffic.mjs secret.txt 8090
 *
 * It keeps what it holds in memory, which is enough to try it. A real one keeps it where its routes are, in one transaction
 * with them: a router that forgets the token forgets what it has to refuse.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const TOLERANCE_SECONDS = 300;
const LONGEST_BODY = 64 * 1_024;

/**
 * @typedef {{ epoch: number, promotion: number }} Token
 * @typedef {{ token: Token, arms: ReadonlyArray<{ variant: string, share: number }>, champion: string | null }} Route
 * @typedef {{ route: Route, keys: Set<string> }} Held
 */

/**
 * Whether Pawl has sent this.
 *
 * @param {{ method: string, path: string, body: string, headers: Readonly<Record<string, string | string[] | undefined>> }} request `path` with its query, `body` as it came
 * @param {{ secret: string, now?: number }} options
 */
export function isSigned({ method, path, body, headers }, { secret, now = Date.now() }) {
  const timestamp = String(headers['pawl-timestamp'] ?? '');
  const [version, value = ''] = String(headers['pawl-signature'] ?? '').split(',');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const right = createHmac('sha256', key).update(`${method}\n${path}\n${timestamp}\n${body}`).digest();
  const given = Buffer.from(value, 'base64');
  if (version !== 'v1' || given.length !== right.length || !timingSafeEqual(given, right)) return false;
  // NaN is not within anything.
  return Math.abs(now / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS;
}

/**
 * Compare and set. The token comes first: an older one is refused, whatever its key. Within one token each key counts once.
 *
 * @param {Map<string, Held>} table
 * @param {Route & { key: string, service: string }} order
 * @returns {{ status: 200 | 409, route: Route }}
 */
export function set(table, { key, service, token, arms, champion }) {
  const held = table.get(service);
  const older = held ? compare(token, held.route.token) : 1;
  if (held && older < 0) return { status: 409, route: held.route };
  if (held && older === 0 && held.keys.has(key)) return { status: 200, route: held.route };
  const route = { token, arms, champion };
  // Keys of an older token are refused by their token: they need not be remembered.
  table.set(service, { route, keys: new Set(held && older === 0 ? [...held.keys, key] : [key]) });
  return { status: 200, route };
}

/**
 * @param {Token} a
 * @param {Token} b
 */
const compare = (a, b) => a.epoch - b.epoch || a.promotion - b.promotion;

/**
 * @param {string} secret
 * @param {Map<string, Held>} [table]
 */
export const createRouteServer = (secret, table = new Map()) =>
  createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk;
      if (body.length > LONGEST_BODY) request.destroy();
    });
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      /** @param {number} status @param {unknown} [value] */
      const answer = (status, value) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(value && JSON.stringify(value));
      if (!isSigned({ method, path, body, headers }, { secret })) return answer(401);
      if (method === 'POST') {
        const { status, route } = set(table, JSON.parse(body));
        return answer(status, route);
      }
      const held = table.get(new URL(path, 'http://localhost').searchParams.get('service') ?? '');
      return held ? answer(200, held.route) : answer(404);
    });
  });

if (import.meta.main) {
  const [file = 'secret.txt', port = '8090'] = process.argv.slice(2);
  createRouteServer(readFileSync(file, 'utf8').trim()).listen(Number(port), '127.0.0.1');
}
