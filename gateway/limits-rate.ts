import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpRefusal } from './refusal.ts';

/** Requests a minute; null: not counted. */
export interface Rates {
  readonly perAddress: number | null;
  readonly perKey: number;
}
export const DEFAULT_RATES = { perAddress: 3_000, perKey: 6_000 } as const;

/** Throws where it is over the limit. */
export type RateCheck = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** So many addresses and keys are counted at once; who was not heard of for longest is forgotten. */
const COUNTED = 20_000;
const MINUTE = 60_000;

/** IPv6 addresses of one /64 count as one: whoever has one has them all. */
export const rateLimits = async (
  app: FastifyInstance,
  { perAddress, perKey }: Rates,
): Promise<{ address: RateCheck; key: RateCheck }> => {
  await app.register(rateLimit, { global: false, cache: COUNTED });
  const check = (what: string, limiter: ReturnType<FastifyInstance['createRateLimit']>): RateCheck => {
    return async (request, reply) => {
      const count = await limiter(request);
      if (count.isAllowed || !count.isExceeded) return;
      reply.header('retry-after', count.ttlInSeconds);
      throw new HttpRefusal(
        429,
        'Refused',
        `More than ${count.max} requests a minute from one ${what}`,
        `Try again in ${count.ttlInSeconds} s. gateway.limits in pawl.yaml sets how many there may be.`,
      );
    };
  };
  const byKey = (request: FastifyRequest) => String(request.caller.key);
  return {
    address:
      perAddress === null
        ? async () => undefined
        : check('address', app.createRateLimit({ max: perAddress, timeWindow: MINUTE })),
    key: check('key', app.createRateLimit({ max: perKey, timeWindow: MINUTE, keyGenerator: byKey })),
  };
};
