import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { kidOf, type Person } from '../../adapters/keys/people.ts';
import type { TokenClaims } from '../../contracts/token.ts';

export interface Signer {
  readonly person: Person;
  readonly privateKey: KeyObject;
}

export const signer = (name = 'ada', ...roles: string[]): Signer => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = String(publicKey.export({ format: 'jwk' }).x);
  return {
    privateKey,
    person: { name, roles: roles.length > 0 ? roles : ['operator'], kid: kidOf(raw), publicKey: raw },
  };
};

export const NOON = Date.parse('2026-11-21T12:00:00.000Z');

export const claimsOf = ({ person }: Signer, over: Partial<TokenClaims> = {}): TokenClaims => ({
  v: 1,
  kid: person.kid,
  action: 'approve',
  workflow: 'pawl:docs:cycle:si_2026_11_21_001',
  step: 'approve',
  variant: 'b2',
  evidence: 'e3',
  person: person.name,
  role: person.roles[0] ?? '',
  reason: 'looks better',
  issuedAt: new Date(NOON - 1_000).toISOString(),
  expiresAt: new Date(NOON + 3_600_000).toISOString(),
  nonce: '0123456789abcdef',
  ...over,
});
