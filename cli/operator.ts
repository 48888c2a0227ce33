/** Who the person at this shell is, and what they sign. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { readOperatorKey } from '../adapters/keys/operator-key.ts';
import { readPeople } from '../adapters/keys/people.ts';
import { signToken } from '../adapters/keys/token.ts';
import { duration } from '../contracts/config.ts';
import { PawlError } from '../contracts/failures.ts';
import type { SignedToken, TokenClaims } from '../contracts/token.ts';

/** A token that is sent at once needs no longer life than clocks differ; one that is pasted needs a person's minutes. */
const LIFE_MS = 15 * 60_000;

/** What is signed; each field stands in the token as it is here. */
export type Permission = Pick<TokenClaims, 'action' | 'workflow' | 'step' | 'variant' | 'evidence' | 'reason'>;

export const signPermission = async (
  home: string,
  permission: Permission,
  lifeMs: number = LIFE_MS,
): Promise<SignedToken> => {
  const { kid, privateKey } = await readOperatorKey(home);
  const person = (await readPeople(home)).find((one) => one.kid === kid);
  if (!person) {
    throw new PawlError('NotAllowed', `The operator key of ${home} (${kid}) is not in people.json.`, {
      hint: 'Restore its entry from Git, or move the key away and make a new one with `pawl init`.',
    });
  }
  const now = Date.now();
  return signToken(privateKey, {
    v: 1,
    kid,
    ...permission,
    person: person.name,
    role: person.role,
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + lifeMs).toISOString(),
    nonce: randomUUID(),
  });
};

/** A restriction needs no key: it names whoever is logged in. */
export const nameOfUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // A container may run under a number that has no name.
  }
};

/** `--expires` */
export const tokenLife = duration.optional();
