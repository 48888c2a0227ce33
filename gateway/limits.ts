/**
 * What a request may look like, before anybody looks into it.
 *
 * 1. A body is JSON as it stands: not compressed, not deeper than anybody writes by hand, with no names of the prototype.
 * 2. What a route does not know, in its query or its body, is refused and not left out: a misspelled filter must not
 *    answer with everything, and a `role` or `tenant` that somebody slips in must not look as if it had worked.
 */
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PawlError } from '../contracts/failures.ts';
import { HttpRefusal } from './refusal.ts';

const MOST_NESTED = 32;
const MOST_CONNECTIONS = 4_096;

export const limitRequests = async (app: FastifyInstance): Promise<void> => {
  app.server.maxConnections = MOST_CONNECTIONS;
  // Answers are data: a browser that is made to show one as a page finds nothing that it may load or run.
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    // For whole domains; whoever ends TLS decides it.
    strictTransportSecurity: false,
  });
  app.addHook('onSend', async (_, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });

  app.addHook('onRequest', async (request) => {
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
    throw new HttpRefusal(415, 'Usage', 'A compressed body is not accepted', 'Send it without a content-encoding.');
  });
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (!isNestedDeeper(text, MOST_NESTED)) return parse(request, text, done);
    done(
      new PawlError('Usage', `The body is nested more than ${MOST_NESTED} levels deep`, {
        hint: 'What this gateway understands stands at /openapi.json.',
      }),
    );
  });

  app.addHook('onRoute', (route) => {
    const { querystring = z.object({}), body, ...rest } = route.schema ?? {};
    route.schema = { ...rest, querystring: strict(querystring), ...(body !== undefined && { body: strict(body) }) };
  });
};

/** A schema that says itself what it does with other names stays as it is. */
const strict = (schema: unknown): unknown =>
  schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;

/** Looks at brackets alone, so that it can be asked of a text that is no JSON at all. */
export const isNestedDeeper = (text: string, most: number): boolean => {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case BACKSLASH:
        if (inText) at += 1;
        break;
      case QUOTE:
        inText = !inText;
        break;
      case BRACE:
      case BRACKET:
        if (!inText) depth += 1;
        if (depth > most) return true;
        break;
      case BRACE + CLOSES:
      case BRACKET + CLOSES:
        if (!inText) depth -= 1;
    }
  }
  return false;
};

const [QUOTE, BACKSLASH, BRACKET, BRACE, CLOSES] = [0x22, 0x5c, 0x5b, 0x7b, 2] as const;
