import type { TrainAnswer, TrainPermission, TrainQuestion } from '../contracts/lora.ts';
import { failing } from './failure.ts';
import { rulingOnToken, rulingOnUse, type TokenDeps } from './rulings.ts';

export const createTrainPermissionActivities = (deps: TokenDeps): TrainPermission =>
  failing({
    // Safe to repeat: the store keeps the first answer under the key of the question.
    mayTrain: async (question: TrainQuestion): Promise<TrainAnswer> => {
      const { key, workflow, service, requestedBy, reason, token, steps } = question;
      const facts = { steps };
      if (token === undefined) {
        const principal = { kind: 'unsigned', name: requestedBy.name } as const;
        const use = { key, action: 'train', service, cycle: null, variant: null, principal, reason } as const;
        const { allowed, because, decision } = await rulingOnUse(deps, use, facts);
        return allowed ? { allowed, requestedBy, decision: decision?.id ?? '' } : { allowed, because };
      }
      const bound = { workflow, step: null, variant: null, evidence: null };
      const use = { token, action: 'train', ...bound, key, about: { service } } as const;
      const claimed = requestedBy.kind === 'person' ? requestedBy.name : null;
      const { allowed, because, claims, decision } = await rulingOnToken(deps, use, facts, claimed);
      if (!allowed || !claims) return { allowed: false, because };
      return { allowed: true, requestedBy: { kind: 'person', name: claims.person }, decision: decision?.id ?? '' };
    },
  });
