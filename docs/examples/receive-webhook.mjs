/**
 * Receives what Pawl tells a webhook, and believes only what it has checked.
 *
 *     openssl rand -base64 32 > secret.txt      # `secret: { file: secret.txt }` in pawl.yaml
 *     node receive-webhook.mjs secret.txt 8080
 *
 * The scheme is that of https://www.standardwebhooks.com, for which there are libraries in many languages; these lines
 * are all there is to it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const TOLERANCE_SECONDS = 300;
const LONGEST_BODY = 256 * 1_024;

/**
 * The message, or why it is refused.
 *
 * @param {Readonly<Record<string, string | string[] | undefined>>} headers
 * @param {string} body as it came, before anything parsed it
 * @param {{ secret: string, seen: Set<string>, now?: number }} options `seen` outlives this call; keep it for as long as the tolerance
 * @returns {{ message: Record<string, unknown> } | { refused: string }}
 */
export function receive(headers, body, { secret, seen, now = Date.now() }) {
  const id = String(headers['webhook-id'] ?? '');
  const timestamp = String(headers['webhook-timestamp'] ?? '');
  const signatures = String(headers['webhook-signature'] ?? '').split(' ');

  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const right = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  const signed = signatures.some((signature) => {
    const [version, value = ''] = signature.split(',');
    const given = Buffer.from(value, 'base64');
    return version === 'v1' && given.length === right.length && timingSafeEqual(given, right);
  });
  if (!signed) return { refused: 'the signature is not that of this message' };
  // NaN is not within anything.
  if (!(Math.abs(now / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS))
    return { refused: 'the message is too old, or the clocks differ' };
  if (seen.has(id)) return { refused: 'this message came before' };
  seen.add(id);
  return { message: JSON.parse(body) };
}

if (import.meta.main) {
  const [file = 'secret.txt', port = '8080'] = process.argv.slice(2);
  const secret = readFileSync(file, 'utf8').trim();
  /** @type {Set<string>} */
  const seen = new Set();
  createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk;
      if (body.length > LONGEST_BODY) request.destroy();
    });
    request.on('end', () => {
      const received = receive(request.headers, body, { secret, seen });
      if ('message' in received) console.log(received.message.text);
      else console.log(`refused: ${received.refused}`);
      // A message that came before is fine to have: the sender only did not hear so.
      const fine = 'message' in received || received.refused === 'this message came before';
      response.writeHead(fine ? 204 : 401).end();
    });
  }).listen(Number(port), '127.0.0.1');
}
