/** What a holder shows: `pawl_<id>_<secret>` is a key, `pawl_invite_<secret>` an invitation. Scanners know them by the form. */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { homeSecret, secretThere } from '../keys/home-secret.ts';

const KEY = /^pawl_([0-9a-f]{16})_[0-9a-f]{64}$/;
const INVITE = /^pawl_invite_[0-9a-f]{64}$/;
/** The beginning of either, wherever it stands. */
const EITHER = /pawl_(?:[0-9a-f]{16}|invite)_[0-9a-f]{8}/i;
const WHOLE = /(pawl_(?:[0-9a-f]{16}|invite)_)[0-9a-f]{8,}/gi;

const SECRET_BYTES = 32;

export const newKeyId = (): string => randomBytes(8).toString('hex');
export const newKeyToken = (id: string): string => `pawl_${id}_${randomBytes(SECRET_BYTES).toString('hex')}`;
export const newInviteToken = (): string => `pawl_invite_${randomBytes(SECRET_BYTES).toString('hex')}`;

export const idInToken = (token: string): string | null => KEY.exec(token)?.[1] ?? null;
export const isInviteToken = (token: string): boolean => INVITE.test(token);
export const holdsToken = (text: string): boolean => EITHER.test(text);
export const withoutTokens = (text: string): string => text.replaceAll(WHOLE, '$1…');

/** What is kept of a token. */
export type TokenHash = (token: string) => string;

const WITHOUT = 'no API key that was made under this one would hold any more.';
const secretPath = (keys: string): string => join(keys, 'access.key');

/** By it a shared store knows the secret again, and nobody else learns anything of it. */
export const ACCESS_MARK = '\0the mark of this secret';

/** null where the home has no secret yet. */
export const accessMarkThere = (keys: string): string | null =>
  secretThere(secretPath(keys), WITHOUT) ? tokenHasher(keys)(ACCESS_MARK) : null;

/** An HMAC under a secret of this home, so that the store of one home proves nothing elsewhere. */
export const tokenHasher = (keys: string): TokenHash => {
  const secret = homeSecret(secretPath(keys), WITHOUT);
  return (token) => createHmac('sha256', secret()).update(`pawl access v1\n${token}`).digest('hex');
};
