/**
 * A router that is not ours, told over HTTP (docs/guide/routers.md; docs/examples/route-traffic.mjs is one).
 *
 * 1. Every request is signed over its method, path, time and body.
 * 2. Only an answer that says what the router holds is an answer. Anything else leaves open what happened, and is an error:
 *    the same order, with the same key, is sent again until it is known.
 */
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { answeredWith, type Destination, guardedRequest, type Lookup } from '../notifier/guarded-request.ts';
import { requestHeaders } from '../notifier/signature.ts';
import type { Route, TrafficRouter } from './port.ts';

/** Shorter than the attempt of the activity that it is part of. */
const TIMEOUT_MS = 1_200;
const LONGEST_ANSWER = 64 * 1_024;

export interface HookDeps {
  /** Read at each use, so that a secret can be changed while a worker runs. */
  secret(): Promise<string>;
  now(): number;
  readonly lookup?: Lookup | undefined;
}
export interface HttpRouterDeps extends HookDeps {
  readonly timeoutMs?: number;
}

export const httpRouter = (place: { hook: string; allow: readonly string[] }, deps: HttpRouterDeps): TrafficRouter => {
  const { lookup, timeoutMs = TIMEOUT_MS } = deps;
  const ask = async (method: 'GET' | 'POST', { service, body = '' }: { service?: string; body?: string }) => {
    const url = new URL(place.hook);
    if (service !== undefined) url.searchParams.set('service', service);
    const to: Destination = { what: 'router', url, allow: place.allow, lookup };
    const headers = async () =>
      requestHeaders(await deps.secret(), { method, url, seconds: Math.floor(deps.now() / 1_000), body });
    const asked = { method, headers, timeoutMs, mostBytes: LONGEST_ANSWER, ...(method === 'POST' && { body }) };
    return { to, ...(await guardedRequest(to, asked)) };
  };
  return {
    set: async (order) => {
      const { to, status, text } = await ask('POST', { body: JSON.stringify(order) });
      if (status === 409) return { outcome: 'refused', because: 'stale', route: routeIn(text, to) };
      if (status !== 200) throw unexpected(to, status);
      return { outcome: 'done', route: routeIn(text, to) };
    },
    read: async (service) => {
      const { to, status, text } = await ask('GET', { service });
      if (status === 404) return null;
      if (status !== 200) throw unexpected(to, status);
      return routeIn(text, to);
    },
  };
};

const whole = z.int().nonnegative();
const share = z.number().min(0).max(1);
const held = z.object({
  token: z.object({ epoch: whole, promotion: whole }),
  arms: z.array(
    z.object({
      variant: z.string().min(1),
      share,
      mirror: share.optional(),
      interleave: z.literal(true).optional(),
    }),
  ),
  champion: z.string().min(1).nullable(),
});

const routeIn = (text: string, { url }: Destination): Route => {
  const parsed = held.safeParse(jsonIn(text));
  if (parsed.success) return parsed.data as Route;
  throw new PawlError('Unavailable', `The router at ${url.host} did not say what it holds: ${firstOf(parsed.error)}.`, {
    hint: 'Expected { token: { epoch, promotion }, arms, champion } as JSON: docs/guide/routers.md',
  });
};

const jsonIn = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Where the answer is wrong, without a word of it. */
const firstOf = ({ issues: [issue] }: z.ZodError): string =>
  issue?.path.length ? `${issue.path.join('.')} is not as expected` : 'it is no such object';

const unexpected = (to: Destination, status: number): PawlError =>
  status < 300
    ? new PawlError('Unavailable', `The router at ${to.url.host} answered with ${status}, which says nothing.`)
    : answeredWith(to, status);
