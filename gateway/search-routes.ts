import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { PawlError } from '../contracts/failures.ts';
import { searchAnswer, searchQuestion, traffic, whichService } from './answers.ts';
import { errorAnswer } from './error-answer.ts';
import type { ServedService } from './served-service.ts';

type Services = ReadonlyMap<string, ServedService>;

const pick = (services: Services, name: string | undefined): ServedService => {
  const hint = `This gateway serves: ${[...services.keys()].join(', ') || 'nothing'}.`;
  const [only, ...others] = services.values();
  const found = name === undefined && others.length === 0 ? only : services.get(name ?? '');
  if (found) return found;
  if (name === undefined && only) throw new PawlError('Usage', 'Say which service, with ?service=', { hint });
  throw new PawlError('NotFound', `There is no service ${JSON.stringify(name ?? '')}`, { hint });
};

export const searchRoutes =
  (services: Services): FastifyPluginAsyncZod =>
  async (app) => {
    app.get(
      '/v1/search',
      {
        schema: {
          summary: 'Answers a question with the variant that the subject is assigned to.',
          description:
            'The header x-pawl-subject names who asks, so that the same subject gets the same variant, and so that what they asked can be erased (pawl erase).',
          querystring: searchQuestion,
          response: { 200: searchAnswer, default: errorAnswer },
        },
      },
      async (request, reply) => {
        const { q: query, k, service: name } = request.query;
        const served = pick(services, name);
        const header = request.headers['x-pawl-subject'];
        const person = typeof header === 'string' && header !== '' ? header : undefined;
        const subject = person ?? `${request.ip} ${query}`;
        const asked = { query, k, subject, elapsedMs: () => reply.elapsedTime };
        const answer = await served.ask(person === undefined ? asked : { ...asked, person });
        return { service: served.service, ...answer, hits: [...answer.hits] };
      },
    );

    app.get(
      '/v1/traffic',
      {
        schema: {
          summary: 'What serves now, read from the store.',
          querystring: whichService,
          response: { 200: traffic, default: errorAnswer },
        },
      },
      async (request) => {
        const state = await pick(services, request.query.service).state();
        return { ...state, arms: [...state.arms] };
      },
    );
  };
