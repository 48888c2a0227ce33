/** The documents of a service, changed by whoever may: each tenant its own. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { metadata } from '../adapters/documents/corpus-task.ts';
import type { DocumentStore } from '../adapters/documents/port.ts';
import { PawlError } from '../contracts/failures.ts';
import { DOCUMENT_FORMATS } from '../contracts/retrieval.ts';
import { errorAnswer } from './error-answer.ts';
import { whichOf } from './which-service.ts';

const API = 'API';
const BODY_LIMIT = 8 * 1_024 * 1_024;
const MOST_AT_ONCE = 1_000;
const MOST_CHARACTERS = 1_000_000;

const id = z
  .string()
  .min(1)
  .max(512)
  .refine((text) => text.isWellFormed() && text.trim() === text, 'without white space at its ends');
const document = z.strictObject({
  id,
  title: z.string().max(10_000).default(''),
  text: z.string().max(MOST_CHARACTERS),
  format: z.enum(DOCUMENT_FORMATS).default('text'),
  metadata: metadata.default({}),
});
const service = z.strictObject({ service: z.string().max(40).exactOptional() });
const done = z.object({
  changed: z.int().describe('How many were not so before.'),
  seq: z.int().describe('Number of the last change: an index that has taken it up answers from it.'),
});

/** `documents`: those of each service. */
export const documentRoutes =
  (documents: ReadonlyMap<string, DocumentStore>): FastifyPluginAsyncZod =>
  async (app) => {
    app.put(
      '/v1/documents',
      {
        bodyLimit: BODY_LIMIT,
        config: { access: 'documents' },
        schema: {
          summary: 'Adds documents, or puts them in the place of those with the same ids.',
          description: 'All or nothing. What is acknowledged is on disk; indexes take it up within seconds.',
          querystring: service,
          body: z.strictObject({ documents: z.array(document).min(1).max(MOST_AT_ONCE) }),
          response: { 200: done, default: errorAnswer },
        },
      },
      async (request) => {
        const { tenant } = request.caller;
        return whichOf(documents, request.query.service).put(tenant, request.body.documents, API);
      },
    );

    app.post(
      '/v1/documents/remove',
      {
        config: { access: 'documents' },
        schema: {
          summary: 'Removes documents; ids that are not there are no error.',
          querystring: service,
          body: z.strictObject({ ids: z.array(id).min(1).max(MOST_AT_ONCE) }),
          response: { 200: done, default: errorAnswer },
        },
      },
      async (request) => {
        const { tenant } = request.caller;
        return whichOf(documents, request.query.service).remove(tenant, request.body.ids, API);
      },
    );

    app.get(
      '/v1/documents',
      {
        config: { access: 'read' },
        schema: {
          summary: 'Documents in the order of their ids, page by page; or one of them whole, by its id.',
          querystring: z.strictObject({
            ...service.shape,
            id: id.exactOptional(),
            after: z.string().max(512).exactOptional(),
            limit: z.coerce.number().pipe(z.int().min(1).max(1_000)).default(100),
          }),
          response: {
            200: z.object({
              documents: z.array(
                z.object({
                  id: z.string(),
                  title: z.string(),
                  characters: z.int(),
                  text: z.string().exactOptional(),
                  format: z.enum(DOCUMENT_FORMATS).exactOptional(),
                  metadata: metadata.exactOptional(),
                  changedAt: z.number().exactOptional(),
                }),
              ),
            }),
            default: errorAnswer,
          },
        },
      },
      async (request) => {
        const { tenant } = request.caller;
        const { id: one, limit, after, service: name } = request.query;
        const store = whichOf(documents, name);
        if (one === undefined)
          return { documents: [...(await store.list(tenant, { limit, ...(after === undefined ? {} : { after }) }))] };
        const found = await store.get(tenant, one);
        if (!found)
          throw new PawlError('NotFound', 'There is no such document', { hint: 'GET /v1/documents lists them.' });
        return { documents: [{ ...found, characters: found.text.length }] };
      },
    );
  };
