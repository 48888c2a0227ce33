import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { ControlStore } from '../adapters/control/port.ts';
import type { QueryLog } from '../adapters/query-log/port.ts';
import { PawlError } from '../contracts/failures.ts';
import { rawError, sendError } from './error-answer.ts';
import type { GatewayLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { searchRoutes } from './search-routes.ts';
import { createServedLog } from './served-log.ts';
import { createServedService, type GatewayService, type ServedService } from './served-service.ts';
import { statusRoutes } from './status-routes.ts';
import { upkeep } from './upkeep.ts';

const LIMITS = {
  bodyLimit: 64 * 1_024,
  /** For the whole request to arrive, and for its answer to be found. */
  requestTimeout: 10_000,
  handlerTimeout: 15_000,
  connectionTimeout: 60_000,
  keepAliveTimeout: 10_000,
} as const;

export interface GatewayDeps {
  readonly services: readonly GatewayService[];
  readonly control: Pick<ControlStore, 'state'>;
  readonly queryLog: Pick<QueryLog, 'append' | 'prune'>;
  readonly logger: GatewayLogger;
  readonly now?: () => number;
  /** Makes of a subject what may be kept of it; without it, who asked is not kept at all. */
  readonly subjectHash?: (subject: string) => string;
  /** Served queries older than this are forgotten. */
  readonly retentionMs?: number;
}

/** Ready to listen, or to be asked with `inject`. Closing it answers what is in flight and writes what was served. */
export const createGateway = async (deps: GatewayDeps): Promise<FastifyInstance> => {
  const { control, queryLog, logger, subjectHash, now = Date.now, retentionMs = 30 * 86_400_000 } = deps;
  const metrics = createMetrics();
  const served = createServedLog({
    log: queryLog,
    onTrouble: (err) => logger.warn({ err }, 'the query log did not take what was served'),
  });
  const services: ReadonlyMap<string, ServedService> = new Map(
    deps.services.map((of) => [
      of.service,
      createServedService(of, { control, metrics, logger, now, subjectHash, served: (row) => served.add(row) }),
    ]),
  );

  const app = Fastify({
    ...LIMITS,
    logger: false,
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.write(rawError(error.code));
      socket.destroy();
    },
    frameworkErrors: (error, request, reply) => sendError(reply, error, request.id),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  app.setErrorHandler((error, request, reply) => {
    const answer = sendError(reply, error, request.id);
    if (reply.statusCode >= 500)
      logger.error({ err: error, request: request.id, url: request.url.split('?')[0] }, 'a request failed');
    return answer;
  });
  app.setNotFoundHandler((request, reply) => {
    const what = `${request.method} ${request.url.split('?')[0]?.slice(0, 100)}`;
    const hint = 'What this gateway understands stands at /openapi.json.';
    return sendError(reply, new PawlError('NotFound', `There is no ${what}`, { hint }), request.id);
  });

  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    // Otherwise the client would send its next request into a connection that is about to end.
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    metrics.answered(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime / 1_000);
  });

  await app.register(swagger, {
    openapi: { info: { title: 'Pawl gateway', version: '1' } },
    transform: jsonSchemaTransform,
  });
  await app.register(statusRoutes({ services, metrics, served }));
  await app.register(searchRoutes(services));
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

  const stop = upkeep({ services: [...services.values()], queryLog, logger, now, retentionMs });
  app.addHook('onClose', async () => {
    await stop();
    await served.close();
    for (const { engine } of services.values()) await engine.close();
  });
  return app;
};
