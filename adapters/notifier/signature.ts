/** Signatures with a shared secret: HMAC-SHA256, in base64 after `v1,`. */
import { createHmac } from 'node:crypto';
import { PawlError } from '../../contracts/failures.ts';

const SHORTEST_BYTES = 24;

/** Of a notice: Standard Webhooks (https://www.standardwebhooks.com), over `id.timestamp.body`. */
export const signatureHeaders = (
  secret: string,
  id: string,
  seconds: number,
  body: string,
): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(seconds),
  'webhook-signature': signed(secret, `${id}.${seconds}.${body}`),
});

/** Of a request that asks for something: its method and path are part of what is signed, each on a line of its own. */
export const requestHeaders = (
  secret: string,
  { method, url, seconds, body }: { method: string; url: URL; seconds: number; body: string },
): Record<string, string> => ({
  'pawl-timestamp': String(seconds),
  'pawl-signature': signed(secret, `${method}\n${url.pathname}${url.search}\n${seconds}\n${body}`),
});

const signed = (secret: string, text: string): string =>
  `v1,${createHmac('sha256', keyOf(secret)).update(text).digest('base64')}`;

/** The secret as one writes it for every receiver of this scheme: base64, with or without `whsec_` before it. */
const keyOf = (secret: string): Buffer => {
  const text = secret.trim().replace(/^whsec_/, '');
  const key = Buffer.from(text, 'base64');
  if (key.length >= SHORTEST_BYTES && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) return key;
  throw new PawlError('ConfigInvalid', `A webhook's secret is not base64 of ${SHORTEST_BYTES} bytes or more.`, {
    hint: 'Make one with `openssl rand -base64 32`, for Pawl and for the receiver.',
  });
};
