/**
 * Signed tokens.
 *
 * 1. There is one form and one algorithm. Nothing in a token says how it is to be checked.
 * 2. The signature is checked over the very bytes that came, before anything in them is believed.
 * 3. Who signed is what people.json says today; who is revoked there, or claims another person or a role that is not
 *    theirs, is refused.
 * 4. Whatever comes, the answer is a value: a token is something that strangers can send.
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import type { SignedToken, TokenAnswer, TokenClaims } from '../../contracts/token.ts';
import { type People, type Person, publicKeyOf } from './people.ts';

const LONGEST = 8_192;
/** So far may the clock of the person who signs be ahead. */
const SKEW_MS = 60_000;
/** 64 bytes of signature are 86 characters. */
const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/;

const text = z.string().min(1).max(512);
const moment = z.iso.datetime();
export const tokenClaims = z.strictObject({
  v: z.literal(1),
  kid: z.string().regex(/^[0-9a-f]{16}$/),
  action: z.enum(['start', 'train', 'approve', 'rearm', 'resume', 'skip', 'promote', 'retry', 'gold']),
  workflow: text,
  step: text.nullable(),
  variant: text.nullable(),
  evidence: text.nullable(),
  person: text,
  role: text,
  reason: z.string().max(2_000),
  issuedAt: moment,
  expiresAt: moment,
  nonce: z.string().min(16).max(128),
}) satisfies z.ZodType<TokenClaims>;

export const signToken = (privateKey: KeyObject, claims: TokenClaims): SignedToken => {
  const payload = payloadOf(claims);
  return joined(payload, sign(null, payload, privateKey));
};

/** For a key that is elsewhere, such as in the ssh-agent. */
export const signTokenBy = async (
  signer: (payload: Buffer) => Promise<Buffer>,
  claims: TokenClaims,
): Promise<SignedToken> => {
  const payload = payloadOf(claims);
  return joined(payload, await signer(payload));
};

const payloadOf = (claims: TokenClaims): Buffer => Buffer.from(JSON.stringify(tokenClaims.parse(claims)));
const joined = (payload: Buffer, signature: Buffer): SignedToken =>
  `${payload.toString('base64url')}.${signature.toString('base64url')}`;

export const verifyToken = (token: unknown, people: People, now: number): TokenAnswer => {
  const parts = typeof token === 'string' && token.length <= LONGEST ? FORM.exec(token) : null;
  if (!parts) return no('this is not a token of Pawl; make one with `pawl approve --print`');
  const [payload, signature] = [bytesOf(parts[1]), bytesOf(parts[2])];
  if (!payload || !signature) return no('the token was changed on its way: its characters encode no bytes');

  const kid = kidIn(payload);
  const signer = people.find((person) => person.kid === kid);
  if (!signer) return no('it is signed by a key that is not in people.json');
  if (!verify(null, payload, publicKeyOf(signer), signature)) return no('its signature does not match its content');
  if (signer.revoked) return no(`its key was revoked at ${signer.revoked.at}: ${signer.revoked.reason}`);

  const parsed = tokenClaims.safeParse(jsonIn(payload));
  if (!parsed.success) return no(`its content is not that of a token: ${parsed.error.issues[0]?.path.join('.')}`);
  const claims = parsed.data;
  if (claims.person !== signer.name || !signer.roles.includes(claims.role)) {
    return no(
      `its key belongs to ${signer.name} (${signer.roles.join(', ')}), not to ${claims.person} (${claims.role})`,
    );
  }
  const [issued, expires] = [Date.parse(claims.issuedAt), Date.parse(claims.expiresAt)];
  if (issued > now + SKEW_MS) return no(`it is dated ${claims.issuedAt}, which is in the future; check the clocks`);
  if (expires <= now) return no(`it expired at ${claims.expiresAt}; sign a new one`);
  return { valid: true, claims };
};

/** Whose signature a token verifiably bears, whatever else is wrong with it; null for what anybody could have made up. */
export const signerOf = (token: unknown, people: People): Person | null => {
  const parts = typeof token === 'string' && token.length <= LONGEST ? FORM.exec(token) : null;
  const [payload, signature] = [bytesOf(parts?.[1]), bytesOf(parts?.[2])];
  if (!parts || !payload || !signature) return null;
  const kid = kidIn(payload);
  const signer = people.find((person) => person.kid === kid);
  return signer && verify(null, payload, publicKeyOf(signer), signature) ? signer : null;
};

const no = (because: string): TokenAnswer => ({ valid: false, because });

/** Only the one spelling of these bytes: the last character of base64url may otherwise differ and mean the same. */
const bytesOf = (part: string | undefined): Buffer | null => {
  const bytes = Buffer.from(part ?? '', 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
};

const jsonIn = (payload: Buffer): unknown => {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return null;
  }
};

/** Which key to try. Not believed: another key's signature does not match. */
const kidIn = (payload: Buffer): unknown => {
  const value = jsonIn(payload);
  return typeof value === 'object' && value !== null && 'kid' in value ? value.kid : undefined;
};
