/** What a language model gets to read before it answers a question. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { DocumentStore } from '../adapters/documents/port.ts';
import { CONTEXT_WINDOW, type Context, type ContextChunk, contextOf } from '../domain/context.ts';
import { searchBody } from './answers.ts';
import { errorAnswer } from './error-answer.ts';
import { askedBy } from './search-routes.ts';
import type { ServedAnswer, ServedService } from './served-service.ts';
import { whichOf } from './which-service.ts';

export interface ContextDeps {
  readonly services: ReadonlyMap<string, ServedService>;
  readonly documents: ReadonlyMap<string, DocumentStore>;
}

/** English has four to five characters a token; other languages and code have fewer. */
const CHARACTERS_PER_TOKEN = 3;
const estimated = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);
const MOST_WINDOW = 100_000;

const contextAnswer = z.object({
  service: z.string(),
  answer: z.string().describe('Names this answer for /v1/feedback.'),
  variant: z.string(),
  experiment: z.string().nullable(),
  latencyMs: z.number(),
  text: z.string().describe('To be put before the question. Lines from documents begin with a mark.'),
  tokens: z.int().describe('Estimated: three characters a token.'),
  citations: z.array(
    z.object({
      number: z.int(),
      document: z.string(),
      title: z.string(),
      start: z.int(),
      end: z.int(),
      headings: z.array(z.string()),
      hidden: z.int().describe('Characters that nobody would see, and that were left out.'),
    }),
  ),
});

export const contextRoutes =
  ({ services, documents }: ContextDeps): FastifyPluginAsyncZod =>
  async (app) => {
    app.post(
      '/v1/context',
      {
        config: { access: 'search' },
        schema: {
          summary: 'The best passages for a question, within a window of tokens, with numbers to cite.',
          description:
            'No sentence is cut, nothing is said twice, and what a document says cannot pass for an instruction.',
          body: searchBody.omit({ explain: true }).extend({
            k: z.int().min(1).max(100).default(20).describe('How many documents are looked at.'),
            window: z.int().min(100).max(MOST_WINDOW).default(CONTEXT_WINDOW).describe('Tokens, at most.'),
          }),
          response: { 200: contextAnswer, default: errorAnswer },
        },
      },
      async (request, reply) => {
        const { window, ...asked } = request.body;
        const served = whichOf(services, asked.service);
        const found = await served.ask(await askedBy(request, reply, served, asked));
        const texts = await textsOf(found, documents.get(served.service), request.caller.tenant);
        const context = contextOf(chunksOf(found, texts), { window, tokensOf: estimated, documents: texts });
        const { answer, variant, experiment, latencyMs } = found;
        return { service: served.service, answer, variant, experiment, latencyMs, ...shown(context) };
      },
    );
  };

const textsOf = async (
  { hits }: ServedAnswer,
  store: DocumentStore | undefined,
  tenant: string,
): Promise<Map<string, string>> => {
  const found = await Promise.all(hits.map(async ({ id }) => [id, (await store?.get(tenant, id))?.text] as const));
  return new Map(found.flatMap(([id, text]) => (text === undefined ? [] : [[id, text] as const])));
};

/** A passage that is not in its document any more was found just before it changed: it is left out. */
const chunksOf = ({ hits }: ServedAnswer, texts: ReadonlyMap<string, string>): ContextChunk[] =>
  hits.flatMap(({ id: document, title, passages }) => {
    const text = texts.get(document);
    if (text === undefined) return [];
    const whole = { start: 0, end: text.length, text, headings: [] };
    return (passages ?? [whole])
      .filter((passage) => text.slice(passage.start, passage.end) === passage.text)
      .map((passage) => ({ ...passage, document, title }));
  });

const shown = ({ text, tokens, citations }: Context) => ({
  text,
  tokens,
  citations: citations.map(({ headings, ...rest }) => ({ ...rest, headings: [...headings] })),
});
