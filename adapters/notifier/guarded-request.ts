/**
 * A request to a server that the configuration names.
 *
 * 1. The name is resolved once. All its addresses are judged before anything is sent, and the connection goes to these
 *    addresses: a name that answers differently the next time is not asked again.
 * 2. A redirect is an error. Of an answer no more is read than was asked for, and a slow one holds nothing up.
 * 3. No error tells the secret, the path of the address (many receivers keep a secret there), or what was answered.
 */
import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { hostAndPortOf } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import { reachOf } from './addresses.ts';

/** All addresses of a name. */
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

export interface Destination {
  /** What it is to whoever reads an error: 'webhook', 'router'. */
  readonly what: string;
  readonly url: URL;
  /** Hosts with their ports that may be private and speak plain http. */
  readonly allow: readonly string[];
  readonly lookup?: Lookup | undefined;
}
export interface GuardedRequest {
  readonly method: 'GET' | 'POST';
  /** Made once the address is judged: no secret is read for one that is refused. */
  headers(): Promise<Readonly<Record<string, string>>>;
  readonly body?: string;
  readonly timeoutMs: number;
  /** So much of the answer is read; a longer one is an error. 0: it is dropped unread. */
  readonly mostBytes: number;
}
export interface Answered {
  readonly status: number;
  readonly text: string;
}

export const guardedRequest = async (to: Destination, asked: GuardedRequest): Promise<Answered> => {
  const { what, url, allow, lookup = resolve } = to;
  const allowed = allow.includes(hostAndPortOf(url));
  const refuse = (because: string): never => {
    throw new PawlError('Refused', `The ${what} at ${url.host} was not called: ${because}.`);
  };
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowed))
    refuse('it does not speak https, and is not under `allow`');
  if (url.username !== '' || url.password !== '') refuse('there is a name or password in its address');
  const signal = AbortSignal.timeout(asked.timeoutMs);
  const addresses = await within(signal, addressesOf(url, lookup)).catch((error: NodeJS.ErrnoException) => {
    throw unreachable(to, error, signal);
  });
  for (const { address } of addresses) {
    const reach = reachOf(address);
    if (reach === 'never' || (reach === 'private' && !allowed)) refuse(`${address} is not a public address`);
  }
  const answer = await send(to, addresses, { ...asked, headers: await asked.headers(), signal });
  if (answer.status >= 300 && answer.status < 400)
    refuse(`it answered with a redirect (${answer.status}), which is not followed`);
  return answer;
};

/** Asking again helps where the other side says so, or has trouble of its own. */
export const answeredWith = ({ what, url }: Destination, status: number): PawlError =>
  new PawlError(
    status >= 500 || status === 408 || status === 429 ? 'Unavailable' : 'Refused',
    `The ${what} at ${url.host} answered with ${status}.`,
  );

const resolve: Lookup = (host) => dns.lookup(host, { all: true });

const addressesOf = async (url: URL, lookup: Lookup) => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const addresses = family === 0 ? await lookup(host) : [{ address: host, family }];
  if (addresses.length === 0) throw new Error('its name has no address');
  return addresses;
};

type Sending = Pick<GuardedRequest, 'method' | 'body' | 'mostBytes'> & {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};
const send = async (
  to: Destination,
  addresses: readonly LookupAddress[],
  { method, headers, body, signal, mostBytes }: Sending,
): Promise<Answered> => {
  const [first] = addresses as readonly [LookupAddress, ...LookupAddress[]];
  const judged: LookupFunction = (_, { all }, found) =>
    all ? found(null, [...addresses]) : found(null, first.address, first.family);
  const agent = new Agent({ connect: { lookup: judged } });
  try {
    const answer = await request(to.url, {
      dispatcher: agent,
      method,
      headers: { ...headers, 'user-agent': 'pawl', ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
      signal,
    });
    answer.body.on('error', () => undefined); // the connection is closed on it
    if (mostBytes === 0) return { status: answer.statusCode, text: '' };
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of answer.body) {
      bytes += part.length;
      if (bytes > mostBytes) throw new Error(`more than ${mostBytes} bytes came`);
      parts.push(part);
    }
    return { status: answer.statusCode, text: Buffer.concat(parts).toString('utf8') };
  } catch (error) {
    throw unreachable(to, error, signal);
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

const unreachable = ({ what, url }: Destination, error: unknown, signal: AbortSignal): PawlError => {
  const code = error instanceof Error && 'code' in error ? error.code : 'no connection';
  return new PawlError(
    'Unavailable',
    `The ${what} at ${url.host} did not answer: ${signal.aborted ? 'it took too long' : code}.`,
  );
};
