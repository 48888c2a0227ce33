import type { ControlActivities } from '../contracts/control.ts';
import type { TokenAnswer, TokenUse } from '../contracts/token.ts';
import { failing } from './failure.ts';
import { rulingOnToken, type TokenDeps } from './rulings.ts';

export const createTokenActivities = (deps: TokenDeps): Pick<ControlActivities, 'verifyToken'> =>
  failing({
    // Safe to repeat: the store keeps the first answer under the key of the use.
    verifyToken: async (use: TokenUse): Promise<TokenAnswer> => {
      const { service: _, ...facts } = use.about ?? { service: '' };
      const { allowed, because, claims, decision } = await rulingOnToken(deps, use, factsOf(use, facts));
      const decided = decision === null ? {} : { decision };
      return allowed && claims ? { valid: true, claims, ...decided } : { valid: false, because, ...decided };
    },
  });

/** What guardian and kill switch ask for has nothing to do with any cycle. */
const factsOf = ({ action }: TokenUse, facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  action === 'rearm' || action === 'gold' ? {} : facts;
