import type { Socket } from 'node:net';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { AnswerCache } from '../adapters/answer-cache/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import type { DocumentStore } from '../adapters/documents/port.ts';
import type { FeedbackStore } from '../adapters/feedback/port.ts';
import type { QueryLog } from '../adapters/query-log/port.ts';
import { PawlError } from '../contracts/failures.ts';
import { type GatewayAccess, guardAccess } from './access.ts';
import { accessRoutes } from './access-routes.ts';
import { cachedSearch } from './answer-cache.ts';
import { contextRoutes } from './context-routes.ts';
import { documentRoutes } from './document-routes.ts';
import { rawError, sendError } from './error-answer.ts';
import { feedbackRoutes } from './feedback-routes.ts';
import { limitRequests } from './limits.ts';
import type { GatewayLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { searchRoutes } from './search-routes.ts';
import { createServedLog } from './served-log.ts';
import { createServedService, type GatewayService, type ServedService } from './served-service.ts';
import { statusRoutes } from './status-routes.ts';
import { upkeep } from './upkeep.ts';

const LIMITS = {
  bodyLimit: 64 * 1_024,
  /** For its answer to be found. */
  handlerTimeout: 15_000,
  connectionTimeout: 60_000,
  keepAliveTimeout: 10_000,
} as const;

export interface GatewayDeps {
  readonly services: readonly GatewayService[];
  /** Of each service whose documents may be changed through the API. */
  readonly documents: ReadonlyMap<string, DocumentStore>;
  readonly cache: AnswerCache;
  readonly feedback: Pick<FeedbackStore, 'add'>;
  readonly control: Pick<ControlStore, 'state'>;
  readonly queryLog: Pick<QueryLog, 'append' | 'prune'>;
  readonly logger: GatewayLogger;
  readonly access: GatewayAccess;
  /** So long a request may take to arrive as a whole. */
  readonly arrivalMs?: number;
  readonly now?: () => number;
  /** Makes of a subject what may be kept of it; without it, who asked is not kept at all. */
  readonly subjectHash?: (subject: string) => string;
  /** Served queries older than this are forgotten. */
  readonly retentionMs?: number;
}

/** Ready to listen, or to be asked with `inject`. Closing it answers what is in flight and writes what was served. */
export const createGateway = async (deps: GatewayDeps): Promise<FastifyInstance> => {
  const { control, queryLog, logger, subjectHash, now = Date.now, retentionMs = 30 * 86_400_000 } = deps;
  const { access, arrivalMs = 10_000, documents, cache, feedback } = deps;
  const search = cachedSearch(cache);
  const metrics = createMetrics(() => cache.counts());
  const served = createServedLog({
    log: queryLog,
    onTrouble: (err) => logger.warn({ err }, 'the query log did not take what was served'),
  });
  const services: ReadonlyMap<string, ServedService> = new Map(
    deps.services.map((of) => [
      of.service,
      createServedService(of, { control, metrics, logger, now, subjectHash, search, served: (row) => served.add(row) }),
    ]),
  );

  const app = Fastify({
    ...LIMITS,
    requestTimeout: arrivalMs,
    http: { headersTimeout: arrivalMs, connectionsCheckingInterval: Math.min(1_000, arrivalMs / 4) },
    trustProxy: access.trustProxy.length > 0 ? [...access.trustProxy] : false,
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
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  app.addHook('preClose', async () => {
    closing = true;
    // Whoever is connected and has not said a word would be waited for until they do.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  });
  app.addHook('onSend', async (_, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    // Otherwise the client would send its next request into a connection that is about to end.
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    metrics.answered(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime / 1_000);
  });

  await limitRequests(app);
  await guardAccess(app, { ...access, logger });
  await app.register(swagger, {
    openapi: { info: { title: 'Pawl gateway', version: '1' } },
    transform: jsonSchemaTransform,
  });
  await app.register(statusRoutes({ services, metrics, served }));
  await app.register(searchRoutes(services));
  await app.register(contextRoutes({ services, documents }));
  await app.register(documentRoutes(documents));
  await app.register(
    feedbackRoutes({
      ...{ feedback, now, subjectHash, services: [...services.keys()] },
      caller: (request) => request.caller,
      mayJudge: (request) => request.may('judge'),
      settle: () => served.flush(),
    }),
  );
  await app.register(accessRoutes(access.keys));
  app.get('/openapi.json', { config: { access: 'anyone' }, schema: { hide: true } }, async () => app.swagger());

  const stop = upkeep({ services: [...services.values()], queryLog, logger, now, retentionMs });
  app.addHook('onClose', async () => {
    const stopped = stop();
    await Promise.all([...services.values()].map((service) => service.settle()));
    // An index that is being built is given up, not waited for.
    await Promise.all([stopped, ...[...services.values()].map((service) => service.close())]);
    await served.close();
    await cache.close();
  });
  return app;
};
