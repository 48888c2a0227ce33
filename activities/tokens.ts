import type { ControlStore } from '../adapters/control/port.ts';
import type { People } from '../adapters/keys/people.ts';
import { verifyToken } from '../adapters/keys/token.ts';
import type { ControlActivities } from '../contracts/control.ts';
import type { TokenAnswer, TokenUse } from '../contracts/token.ts';
import { failing } from './failure.ts';

export interface TokenDeps {
  /** Asked for at every use, so that a person who is taken out of the file can sign nothing from then on. */
  people(): Promise<People>;
  readonly control: Pick<ControlStore, 'spendNonce'>;
  now(): number;
}

/** What a token is bound to: it allows one thing, on what its signer looked at. */
const BOUND = ['action', 'workflow', 'step', 'variant', 'evidence'] as const;

export const createTokenActivities = ({ people, control, now }: TokenDeps): Pick<ControlActivities, 'verifyToken'> =>
  failing({
    // Safe to repeat: the nonce is spent under the key of the use, and a repetition of this use finds it so.
    verifyToken: async (use: TokenUse): Promise<TokenAnswer> => {
      const answer = verifyToken(use.token, await people(), now());
      if (!answer.valid) return answer;
      const { claims } = answer;
      const other = BOUND.find((field) => claims[field] !== use[field]);
      if (other) {
        return { valid: false, because: `it is for ${other} ${named(claims[other])}, not for ${named(use[other])}` };
      }
      const mine = await control.spendNonce({ nonce: claims.nonce, key: use.key, expiresAt: claims.expiresAt });
      return mine ? answer : { valid: false, because: 'it was used before; each use needs a token of its own' };
    },
  });

const named = (value: string | null): string => value ?? '(none)';
