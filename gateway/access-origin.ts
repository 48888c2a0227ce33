import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { holdsToken } from '../adapters/access/token.ts';
import { isLoopback } from '../contracts/access.ts';
import { PawlError } from '../contracts/failures.ts';

const FORWARDED = ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via'] as const;
/** What people call a key in an address. */
const KEY_NAMES = /[?&](api[-_]?key|x[-_]api[-_]key|access[-_]token|token|key|authorization)=/i;

/**
 * From this machine, as far as can be seen: through no proxy, and under no name that a page from elsewhere could have made
 * to mean this machine (DNS rebinding: such a name has a dot in it, and is no address).
 */
export const isLocal = ({ socket, headers }: FastifyRequest): boolean =>
  isLoopback(socket.remoteAddress ?? '') &&
  FORWARDED.every((name) => headers[name] === undefined) &&
  isNameOfHere(headers.host ?? '');

const isNameOfHere = (host: string): boolean => {
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
  return !name.includes('.') || isIP(name) !== 0 || name.toLowerCase().endsWith('.localhost');
};

/** Addresses stand in the logs of every proxy, and in the history of every browser. */
export const refuseKeyInAddress = ({ url }: FastifyRequest): void => {
  if (!KEY_NAMES.test(url) && !holdsToken(decoded(url))) return;
  throw new PawlError('Usage', 'A key does not belong into an address', {
    hint: 'Send it in a header: `Authorization: Bearer …` or `x-api-key`. If this one is real, revoke it: `pawl key revoke`.',
  });
};

const decoded = (url: string): string => {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
};

/** null where none is shown. */
export const shownToken = ({ authorization, 'x-api-key': plain }: FastifyRequest['headers']): string | null => {
  if (authorization !== undefined && plain !== undefined) {
    throw new PawlError('Usage', 'Two keys are shown, in authorization and in x-api-key', { hint: 'Send one.' });
  }
  if (authorization !== undefined) return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
  return plain === undefined ? null : String(plain);
};
