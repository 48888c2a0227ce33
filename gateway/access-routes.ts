/** API keys over HTTP: those of the caller's tenant, for whoever may change them. */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type By, GRACE_MS, type Keyring } from '../adapters/access/keyring.ts';
import { KEY_ROLES } from '../contracts/access.ts';
import { errorAnswer } from './error-answer.ts';
import { HttpRefusal } from './refusal.ts';

const HOUR_MS = 3_600_000;

const moment = z.string().nullable();
const apiKey = z.object({
  id: z.string(),
  name: z.string(),
  tenant: z.string(),
  role: z.enum(KEY_ROLES),
  createdAt: z.string(),
  expiresAt: moment,
  lastUsedAt: moment.describe('To the hour.'),
  rotatedAt: moment,
  graceUntil: moment.describe('Until then the secret from before the rotation holds too.'),
  revokedAt: moment,
});
const issued = z.object({ key: apiKey, token: z.string().describe('Shown now, and never again.') });
const keyName = z.string().trim().min(1).max(100).describe('What it is for.');
const ofKey = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/, 'expected the 16 digits of an id') });
const access = { access: 'keys' } as const;

export const accessRoutes =
  (keys: Keyring): FastifyPluginAsyncZod =>
  async (app) => {
    const by = ({ caller }: FastifyRequest, reason: string): By => ({
      actor: { kind: 'key', name: String(caller.key) },
      reason,
    });

    app.get(
      '/v1/keys',
      { config: access, schema: { summary: 'API keys.', response: { 200: z.array(apiKey), default: errorAnswer } } },
      async ({ caller }) => [...(await keys.list(caller.tenant))],
    );

    app.post(
      '/v1/keys',
      {
        config: access,
        schema: {
          summary: 'Makes an API key.',
          body: z.object({
            name: keyName,
            role: z.enum(KEY_ROLES),
            expiresInHours: z
              .number()
              .positive()
              .max(87_600)
              .optional()
              .describe('Without it, it holds until it is revoked.'),
          }),
          response: { 201: issued, default: errorAnswer },
        },
      },
      async (request, reply) => {
        const { name, role, expiresInHours } = request.body;
        const { tenant } = request.caller;
        const lifeMs = expiresInHours === undefined ? null : expiresInHours * HOUR_MS;
        return reply
          .status(201)
          .send(await keys.create({ name, role, tenant, lifeMs }, by(request, 'asked for by a key')));
      },
    );

    app.post(
      '/v1/keys/:id/rotate',
      {
        config: access,
        schema: {
          summary: 'Gives an API key a new secret.',
          params: ofKey,
          body: z.object({
            graceHours: z
              .number()
              .min(0)
              .max(720)
              .default(GRACE_MS / HOUR_MS)
              .describe('So long the old one holds too.'),
          }),
          response: { 200: issued, default: errorAnswer },
        },
      },
      async (request) => {
        const { id } = await keys.find(request.params.id, request.caller.tenant);
        return keys.rotate(id, request.body.graceHours * HOUR_MS, by(request, 'asked for by a key'));
      },
    );

    app.delete(
      '/v1/keys/:id',
      {
        config: access,
        schema: {
          summary: 'Revokes an API key, at once.',
          params: ofKey,
          response: { 200: apiKey, default: errorAnswer },
        },
      },
      async (request) => {
        const { id } = await keys.find(request.params.id, request.caller.tenant);
        return (await keys.revoke(id, by(request, 'asked for by a key'))).key;
      },
    );

    app.post(
      '/v1/keys/claim',
      {
        config: { access: 'anyone' },
        schema: {
          summary: 'Makes an admin’s API key of an invitation (pawl key invite).',
          body: z.object({ token: z.string().max(200), name: keyName.default('first admin') }),
          response: { 201: issued, default: errorAnswer },
        },
      },
      async ({ body }, reply) => {
        const claimed = await keys.claim(body.token, body.name);
        if (claimed) return reply.status(201).send(claimed);
        const hint = 'It is good for 15 minutes, once. `pawl key invite` prints a new one.';
        throw new HttpRefusal(401, 'NotAllowed', 'This invitation does not hold', hint);
      },
    );
  };
