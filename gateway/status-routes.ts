import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { PawlError } from '../contracts/failures.ts';
import type { ServiceState } from '../contracts/traffic.ts';
import { status } from './answers.ts';
import { errorAnswer } from './error-answer.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { ServedLog } from './served-log.ts';
import type { ServedService } from './served-service.ts';

export interface StatusDeps {
  readonly services: ReadonlyMap<string, ServedService>;
  readonly metrics: GatewayMetrics;
  readonly served: Pick<ServedLog, 'dropped'>;
}

/** What cannot be read is left out; /ready says why. */
const readable = async (services: StatusDeps['services']): Promise<Array<[ServedService, ServiceState]>> => {
  const found: Array<[ServedService, ServiceState]> = [];
  for (const service of services.values()) {
    const state = await service.state().catch(() => null);
    if (state) found.push([service, state]);
  }
  return found;
};

const whyNotReady = async (service: ServedService): Promise<string | null> => {
  const index = service.engine.index();
  if (index.corpus === null) return `${service.service}: ${index.because ?? 'it has no index yet'}`;
  const ready = service.shelf.loaded();
  const { champion, gold, arms } = await service.state();
  const may = [...arms.map(({ variant }) => variant), champion, gold];
  return ready.some((id) => may.includes(id)) ? null : `${service.service}: none of its variants is loaded yet`;
};

export const statusRoutes =
  ({ services, metrics, served }: StatusDeps): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/health',
      {
        config: { access: 'anyone' },
        schema: { summary: 'The process answers.', response: { 200: z.object({ status: z.literal('ok') }) } },
      },
      async () => ({ status: 'ok' as const }),
    );

    app.get(
      '/ready',
      {
        config: { access: 'anyone' },
        schema: {
          summary: 'Every service can answer.',
          response: { 200: z.object({ status: z.literal('ready') }), default: errorAnswer },
        },
      },
      async (request) => {
        for (const service of services.values()) {
          const because = await whyNotReady(service);
          if (because === null) continue;
          const told = (await request.may('read')) ? because : 'A service cannot answer yet';
          throw new PawlError('Unavailable', told, { hint: 'More stands at /status.' });
        }
        return { status: 'ready' as const };
      },
    );

    app.get(
      '/status',
      {
        config: { access: 'read' },
        schema: { summary: 'Services, latch, traffic and index.', response: { 200: status, default: errorAnswer } },
      },
      async () => ({
        services: (await readable(services)).map(([{ shelf, engine }, state]) => ({
          ...state,
          arms: [...state.arms],
          loaded: [...shelf.loaded()],
          index: engine.index(),
        })),
        queryLog: { dropped: served.dropped() },
      }),
    );

    app.get('/metrics', { config: { access: 'metrics' }, schema: { summary: 'For Prometheus.' } }, async (_, reply) => {
      const states = (await readable(services)).map(([, state]) => state);
      return reply.type(metrics.contentType).send(await metrics.text(states, served.dropped()));
    });
  };
