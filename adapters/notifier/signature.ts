/** Standard Webhooks (https://www.standardwebhooks.com): `v1,` and the HMAC-SHA256 of `id.timestamp.body`. */
import { createHmac } from 'node:crypto';
import { PawlError } from '../../contracts/failures.ts';

const SHORTEST_BYTES = 24;

export const signatureHeaders = (
  secret: string,
  id: string,
  seconds: number,
  body: string,
): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(seconds),
  'webhook-signature': `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${seconds}.${body}`).digest('base64')}`,
});

/** The secret as one writes it for every receiver of this scheme: base64, with or without `whsec_` before it. */
const keyOf = (secret: string): Buffer => {
  const text = secret.trim().replace(/^whsec_/, '');
  const key = Buffer.from(text, 'base64');
  if (key.length >= SHORTEST_BYTES && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) return key;
  throw new PawlError('ConfigInvalid', `A webhook's secret is not base64 of ${SHORTEST_BYTES} bytes or more.`, {
    hint: 'Make one with `openssl rand -base64 32`, for Pawl and for the receiver.',
  });
};
