import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { PawlError } from '../contracts/failures.ts';
import type { MetadataFilter } from '../contracts/retrieval.ts';
import { searchAnswer, searchBody, searchQuestion, traffic, whichService } from './answers.ts';
import { errorAnswer } from './error-answer.ts';
import type { Question, ServedAnswer, ServedService } from './served-service.ts';
import { whichOf } from './which-service.ts';

type Services = ReadonlyMap<string, ServedService>;

interface Asked {
  readonly query: string;
  readonly k: number;
  readonly service?: string;
  readonly filter: MetadataFilter;
}

const SUBJECT =
  'The header x-pawl-subject names who asks, so that the same subject gets the same variant, and so that what they asked can be erased (pawl erase). The header x-pawl-variant names the variant that is to answer, for whom the policy lets do so.';

export const searchRoutes =
  (services: Services): FastifyPluginAsyncZod =>
  async (app) => {
    const answer = async (
      request: FastifyRequest,
      reply: FastifyReply,
      asked: Asked & { readonly explain: boolean },
    ) => {
      const served = whichOf(services, asked.service);
      const found = await served.ask(await askedBy(request, reply, served, asked));
      return { service: served.service, ...found, hits: found.hits.map((hit) => shown(hit, asked.explain)) };
    };

    app.get(
      '/v1/search',
      {
        config: { access: 'search' },
        schema: {
          summary: 'Answers a question with the variant that the subject is assigned to.',
          description: SUBJECT,
          querystring: searchQuestion,
          response: { 200: searchAnswer, default: errorAnswer },
        },
      },
      async (request, reply) => {
        const { q: query, ...rest } = request.query;
        return answer(request, reply, { query, ...rest, filter: {} });
      },
    );

    app.post(
      '/v1/search',
      {
        config: { access: 'search' },
        schema: {
          summary: 'The same, with a filter on what is known of the documents.',
          description: SUBJECT,
          body: searchBody,
          response: { 200: searchAnswer, default: errorAnswer },
        },
      },
      async (request, reply) => answer(request, reply, request.body),
    );

    app.get(
      '/v1/traffic',
      {
        config: { access: 'read' },
        schema: {
          summary: 'What serves now, read from the store.',
          querystring: whichService,
          response: { 200: traffic, default: errorAnswer },
        },
      },
      async (request) => {
        const state = await whichOf(services, request.query.service).state();
        return { ...state, arms: [...state.arms] };
      },
    );
  };

/** A question with all that its request says of who asks. */
export const askedBy = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { service }: Pick<ServedService, 'service'>,
  { query, k, filter }: Asked,
): Promise<Question> => {
  const person = headerOf(request, 'x-pawl-subject');
  const variant = headerOf(request, 'x-pawl-variant');
  if (variant !== undefined && !(await request.may('pin', { service }))) {
    throw new PawlError('NotAllowed', 'The policy does not let this caller say which variant answers', {
      hint: 'Leave x-pawl-variant out, or use a key of another role: `pawl key ls`.',
    });
  }
  return {
    ...{ query, k, filter, tenant: request.caller.tenant, elapsedMs: () => reply.elapsedTime },
    ...(variant === undefined ? {} : { variant }),
    ...(person === undefined ? { subject: `${request.ip} ${query}` } : { subject: person, person }),
  };
};

const headerOf = ({ headers }: FastifyRequest, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const shown = ({ why, passages, ...hit }: ServedAnswer['hits'][number], explain: boolean) => ({
  ...hit,
  ...(passages ? { passages: passages.map(({ headings, ...rest }) => ({ ...rest, headings: [...headings] })) } : {}),
  ...(explain && why ? { why } : {}),
});
