import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { signToken, verifyToken } from '../../adapters/keys/token.ts';
import { claimsOf, NOON, signer } from '../support/signers.ts';

const ada = signer();
const people = [ada.person, signer('grace', 'reviewer').person];
const check = (token: unknown, now = NOON) => verifyToken(token, people, now);
const because = (token: unknown, now = NOON): string => {
  const answer = check(token, now);
  return answer.valid ? 'valid' : answer.because;
};
/** Signed properly, whatever it says. */
const signed = (payload: string | Buffer, by = ada): string => {
  const bytes = Buffer.from(payload);
  return `${bytes.toString('base64url')}.${sign(null, bytes, by.privateKey).toString('base64url')}`;
};
const good = signToken(ada.privateKey, claimsOf(ada));

test('a token that a known person signed says what that person allows', () => {
  expect(check(good)).toEqual({ valid: true, claims: claimsOf(ada) });
});

test('a changed claim under the old signature is refused', () => {
  const [, signature] = good.split('.');
  const swapped = Buffer.from(JSON.stringify(claimsOf(ada, { variant: 'c3' }))).toString('base64url');
  expect(because(`${swapped}.${signature}`)).toContain('signature does not match');
});

test('no single changed character of a token is accepted', () => {
  for (let at = 0; at < good.length; at += 1) {
    const other = good[at] === 'A' ? 'B' : 'A';
    expect(check(good.slice(0, at) + other + good.slice(at + 1)).valid).toBe(false);
  }
});

test('a stranger who claims the kid of a known person is refused', () => {
  const mallory = signer('mallory');
  expect(because(signToken(mallory.privateKey, claimsOf(ada)))).toContain('signature does not match');
  expect(because(signToken(mallory.privateKey, claimsOf(mallory)))).toContain('not in people.json');
});

test('a known person who claims to be another, or of another role, is refused', () => {
  expect(because(signToken(ada.privateKey, claimsOf(ada, { person: 'grace' })))).toContain('belongs to ada');
  expect(because(signToken(ada.privateKey, claimsOf(ada, { role: 'admin' })))).toContain(
    '(operator), not to ada (admin)',
  );
});

test('a person with several roles acts in any of them, and in no other', () => {
  const joan = signer('joan', 'operator', 'approver');
  const acting = (role: string) =>
    verifyToken(signToken(joan.privateKey, claimsOf(joan, { role })), [joan.person], NOON);
  expect(acting('operator').valid).toBe(true);
  expect(acting('approver').valid).toBe(true);
  expect(acting('admin')).toMatchObject({
    because: expect.stringContaining('(operator, approver), not to joan (admin)'),
  });
});

test('whose key is revoked can sign nothing any more, and is told when and why', () => {
  const revoked = { at: '2026-11-20T08:00:00.000Z', reason: 'laptop stolen' };
  const answer = verifyToken(good, [{ ...ada.person, revoked }], NOON);
  expect(answer).toEqual({ valid: false, because: 'its key was revoked at 2026-11-20T08:00:00.000Z: laptop stolen' });
});

test('a token ends at its expiry, to the millisecond', () => {
  const expiry = Date.parse(claimsOf(ada).expiresAt);
  expect(check(good, expiry - 1).valid).toBe(true);
  expect(because(good, expiry)).toContain('expired');
});

test('a token from the future is refused, but a clock may be a minute ahead', () => {
  const ahead = (ms: number) => claimsOf(ada, { issuedAt: new Date(NOON + ms).toISOString() });
  expect(check(signToken(ada.privateKey, ahead(60_000))).valid).toBe(true);
  expect(because(signToken(ada.privateKey, ahead(60_001)))).toContain('in the future');
});

test('nothing in a token chooses how it is checked', () => {
  const header = (alg: string) => Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url');
  const payload = Buffer.from(JSON.stringify(claimsOf(ada))).toString('base64url');
  expect(because(`${header('none')}.${payload}.`)).toContain('not a token');
  expect(because(`${payload}.`)).toContain('not a token');
  const publicKey = Buffer.from(ada.person.publicKey, 'base64url');
  const hmac = createHmac('sha256', publicKey).update(payload).digest('base64url');
  expect(because(`${header('HS256')}.${payload}.${hmac}`)).toContain('not a token');
  const hmac64 = createHmac('sha512', publicKey).update(payload).digest('base64url');
  expect(because(`${payload}.${hmac64}`)).toContain('signature does not match');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const long = sign('sha256', Buffer.from(payload), rsa).toString('base64url');
  expect(because(`${payload}.${long}`)).toContain('not a token');
  expect(because(signed(JSON.stringify({ ...claimsOf(ada), alg: 'none' })))).toContain('content is not');
});

test.each([
  ['no JSON', 'hello'],
  ['no object', '[]'],
  ['a missing claim', JSON.stringify({ ...claimsOf(ada), nonce: undefined })],
  ['an action that does not exist', JSON.stringify({ ...claimsOf(ada), action: 'kill' })],
  ['another version', JSON.stringify({ ...claimsOf(ada), v: 2 })],
  ['a moment that is none', JSON.stringify({ ...claimsOf(ada), expiresAt: 'never' })],
  ['a nonce that can be guessed', JSON.stringify({ ...claimsOf(ada), nonce: '1' })],
  ['a list for a name', JSON.stringify({ ...claimsOf(ada), person: ['ada'] })],
])('content that is not exactly that of a token is refused, however well it is signed: %s', (_, payload) => {
  expect(check(signed(payload)).valid).toBe(false);
});

test.each([
  ['nothing', undefined],
  ['an object', { token: good }],
  ['an empty text', ''],
  ['a line break at its end', `${good}\n`],
  ['padding', `${good}==`],
  ['10 MB', 'A'.repeat(10_000_000)],
])('what is no token is refused with a value, never with an exception: %s', (_, token) => {
  expect(because(token)).toContain('not a token');
});

test('who was taken out of the file can sign nothing any more', () => {
  expect(verifyToken(good, [], NOON)).toMatchObject({ valid: false });
  const demoted = [{ ...ada.person, roles: ['viewer'] }];
  expect(verifyToken(good, demoted, NOON)).toMatchObject({ valid: false });
});
