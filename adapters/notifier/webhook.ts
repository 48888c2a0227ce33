/**
 * Tells a server over HTTP.
 *
 * 1. The name is resolved once. All its addresses are judged before anything is sent, and the connection goes to these
 *    addresses: a name that answers differently the next time is not asked again.
 * 2. A redirect is an error. What the server answers is dropped unread, and a slow answer holds nothing up.
 * 3. No error tells the secret, the path of the address (many receivers keep a secret there), or what was answered.
 */
import { createHash } from 'node:crypto';
import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { hostAndPortOf, type Webhook } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { Notice } from '../../contracts/notice.ts';
import { reachOf } from './addresses.ts';
import type { Notifier } from './port.ts';
import { signatureHeaders } from './signature.ts';

const TIMEOUT_MS = 5_000;
/** Summaries come from stages, and may be anything. */
const LONGEST_TEXT = 4_000;

export interface WebhookDeps {
  /** Read at each use, so that a secret can be changed while a worker runs. */
  secret(): Promise<string>;
  now(): number;
  /** All addresses of a name. */
  lookup?(host: string): Promise<readonly LookupAddress[]>;
  readonly timeoutMs?: number;
}

export const webhookNotifier = (webhook: Pick<Webhook, 'webhook' | 'allow'>, deps: WebhookDeps): Notifier => {
  const { lookup = resolve, timeoutMs = TIMEOUT_MS } = deps;
  const url = new URL(webhook.webhook);
  const allowed = webhook.allow.includes(hostAndPortOf(url));
  const refuse = (because: string): never => {
    throw new PawlError('Refused', `The webhook at ${url.host} was not called: ${because}.`);
  };
  return {
    tell: async (notice) => {
      if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowed))
        refuse('it does not speak https, and is not under `allow`');
      if (url.username !== '' || url.password !== '') refuse('there is a name or password in its address');
      const signal = AbortSignal.timeout(timeoutMs);
      const message = messageOf(notice);
      const body = JSON.stringify(message);
      const headers = signatureHeaders(await deps.secret(), message.id, Math.floor(deps.now() / 1_000), body);
      const addresses = await within(signal, addressesOf(url, lookup)).catch((error: NodeJS.ErrnoException) => {
        throw unreachable(url, error, signal);
      });
      for (const { address } of addresses) {
        const reach = reachOf(address);
        if (reach === 'never' || (reach === 'private' && !allowed)) refuse(`${address} is not a public address`);
      }
      const status = await post(url, addresses, { headers, body, signal });
      if (status >= 300 && status < 400) refuse(`it answered with a redirect (${status}), which is not followed`);
      if (status >= 400) throw answered(url, status);
    },
  };
};

/** What goes out: the same for every attempt, so that the id alone tells a receiver that it has it already. */
const messageOf = ({ key, type, at, service, cycle, text, approval, roles, command }: Notice) => ({
  id: `msg_${createHash('sha256').update(key).digest('hex').slice(0, 32)}`,
  type,
  at,
  service,
  cycle,
  text: text.slice(0, LONGEST_TEXT),
  ...(approval && { approval: { ...approval, summary: approval.summary.slice(0, LONGEST_TEXT) } }),
  ...(roles && { roles }),
  ...(command !== undefined && { command }),
});

const resolve = (host: string): Promise<readonly LookupAddress[]> => dns.lookup(host, { all: true });

const addressesOf = async (url: URL, lookup: (host: string) => Promise<readonly LookupAddress[]>) => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const addresses = family === 0 ? await lookup(host) : [{ address: host, family }];
  if (addresses.length === 0) throw new Error('its name has no address');
  return addresses;
};

const post = async (
  url: URL,
  addresses: readonly LookupAddress[],
  { headers, body, signal }: { headers: Record<string, string>; body: string; signal: AbortSignal },
): Promise<number> => {
  const [first] = addresses as readonly [LookupAddress, ...LookupAddress[]];
  const judged: LookupFunction = (_, { all }, found) =>
    all ? found(null, [...addresses]) : found(null, first.address, first.family);
  const agent = new Agent({ connect: { lookup: judged } });
  try {
    const answer = await request(url, {
      dispatcher: agent,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'pawl' },
      body,
      signal,
    });
    answer.body.on('error', () => undefined); // the connection is closed on it
    return answer.statusCode;
  } catch (error) {
    throw unreachable(url, error, signal);
  } finally {
    void agent.destroy();
  }
};

/** The other side may never settle, as a resolver that got no answer does not. */
const within = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  ]);

const unreachable = (url: URL, error: unknown, signal: AbortSignal): PawlError => {
  const code = error instanceof Error && 'code' in error ? error.code : 'no connection';
  return new PawlError(
    'Unavailable',
    `The webhook at ${url.host} did not answer: ${signal.aborted ? 'it took too long' : code}.`,
  );
};

/** Asking again helps where the other side says so, or has trouble of its own. */
const answered = (url: URL, status: number): PawlError =>
  new PawlError(
    status >= 500 || status === 408 || status === 429 ? 'Unavailable' : 'Refused',
    `The webhook at ${url.host} answered with ${status}.`,
  );
