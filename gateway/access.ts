/**
 * Who asks, and whether they may.
 *
 * 1. Every route says what right it needs, or that it stands open to everybody; one that says nothing is not served.
 * 2. Whoever shows a key is held to it: one that does not hold is refused, and never taken for none.
 * 3. Tenant and role are those of the key. Nothing in a request changes them.
 * 4. The key is looked up with every request, so a revoked one is refused from the next request on.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Keyring } from '../adapters/access/keyring.ts';
import { type AccessMode, type Caller, DEFAULT_TENANT } from '../contracts/access.ts';
import { PawlError } from '../contracts/failures.ts';
import type { RequestAction } from '../contracts/policy.ts';
import { isLocal, refuseKeyInAddress, shownToken } from './access-origin.ts';
import { createRights, type Right, type RightsDeps } from './access-rights.ts';
import { type Rates, rateLimits } from './limits-rate.ts';
import { HttpRefusal } from './refusal.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What right a request needs. `anyone`: none, and no key is looked at. */
    access?: RequestAction | 'anyone';
  }
  interface FastifyRequest {
    readonly caller: Caller;
    /** Whether the caller may do something else than what the route is for; of their own tenant where none is named. */
    may(action: RequestAction, about?: { service?: string; tenant?: string }): Promise<boolean>;
  }
}

export interface GatewayAccess extends Pick<RightsDeps, 'policy' | 'environments'> {
  readonly mode: AccessMode;
  readonly keys: Keyring;
  readonly rates: Rates;
  /** Proxies whose X-Forwarded-For is believed. */
  readonly trustProxy: readonly string[];
}

const VISITOR: Caller = { key: null, tenant: DEFAULT_TENANT, role: 'reader' };

export const guardAccess = async (app: FastifyInstance, deps: GatewayAccess & Pick<RightsDeps, 'logger'>) => {
  const { mode, keys, policy, environments, rates, logger } = deps;
  const rightOf = createRights(deps);
  const callers = new WeakMap<FastifyRequest, Caller>();
  const callerOf = (request: FastifyRequest): Caller => callers.get(request) ?? VISITOR;

  app.decorateRequest('caller', {
    getter(this: FastifyRequest) {
      return callerOf(this);
    },
  });
  const ask = (request: FastifyRequest, action: RequestAction, service: unknown, tenant?: string): Promise<Right> => {
    const caller = callerOf(request);
    const known = typeof service === 'string' && environments.has(service) ? service : null;
    const origin = { open: mode === 'open', local: isLocal(request) };
    return rightOf({ caller, action, service: known, tenant: tenant ?? caller.tenant, ...origin });
  };
  app.decorateRequest('may', async function (action, { service, tenant } = {}) {
    return (await ask(this, action, service, tenant)).allowed;
  });
  const need = async (request: FastifyRequest, reply: FastifyReply, action: RequestAction, service: unknown) => {
    const { allowed, because } = await ask(request, action, service);
    if (!allowed) throw callerOf(request).key === null ? noKey(reply, mode) : notAllowed(because);
  };
  const limits = await rateLimits(app, rates);

  // Loading the engine takes longer than a request should; what is wrong with the policies is told at the first question.
  app.addHook('onReady', async () => void (await policy.bundle().catch(() => null)));
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access !== undefined) return;
    throw new Error(`The route ${method} ${url} does not say who may use it: give it config.access`);
  });
  app.addHook('onRequest', async (request, reply) => {
    refuseKeyInAddress(request);
    await limits.address(request, reply);
    const action = rightFor(request);
    if (action === null) return;
    const token = shownToken(request.headers);
    if (token !== null) {
      const caller = await keys.callerOf(token);
      if (!caller) throw badKey(reply);
      callers.set(request, caller);
      await limits.key(request, reply);
    }
    await need(request, reply, action, serviceIn(request.query) ?? serviceIn(request.params));
  });
  // Which service a body is about is known only now.
  app.addHook('preHandler', async (request, reply) => {
    const action = rightFor(request);
    const service = serviceIn(request.body);
    if (action !== null && service !== undefined) await need(request, reply, action, service);
  });
  app.addHook('onResponse', async (request) => {
    const { key } = callerOf(request);
    if (key === null) return;
    await keys.used(key).catch((err) => logger.warn({ err }, 'that a key was used could not be noted'));
  });
};

/** null: none is needed, or there is no such route. */
const rightFor = ({ routeOptions }: FastifyRequest): RequestAction | null => {
  const access = routeOptions.config?.access;
  return access === undefined || access === 'anyone' ? null : access;
};

const serviceIn = (part: unknown): unknown =>
  typeof part === 'object' && part !== null && 'service' in part ? part.service : undefined;

const HOW = 'Send it as `Authorization: Bearer …` or `x-api-key`. `pawl key create` makes one.';

const noKey = (reply: FastifyReply, mode: AccessMode): HttpRefusal => {
  reply.header('www-authenticate', 'Bearer realm="pawl"');
  const open =
    mode === 'open' ? 'Without one, a gateway that is open answers questions from its own machine only. ' : '';
  return new HttpRefusal(401, 'NotAllowed', 'This needs an API key', `${open}${HOW}`);
};

/** The same for whatever is wrong with it. */
const badKey = (reply: FastifyReply): HttpRefusal => {
  reply.header('www-authenticate', 'Bearer realm="pawl", error="invalid_token"');
  return new HttpRefusal(401, 'NotAllowed', 'This API key does not hold', `It is unknown, revoked or expired. ${HOW}`);
};

const notAllowed = (because: string): PawlError =>
  new PawlError('NotAllowed', `The policy says no: ${because}`, { hint: 'Use a key of another role: `pawl key ls`.' });
