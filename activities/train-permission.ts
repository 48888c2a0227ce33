import type { ControlStore } from '../adapters/control/port.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import type { TrainAnswer, TrainPermission, TrainQuestion } from '../contracts/lora.ts';
import { failing } from './failure.ts';
import { rulingOnToken, rulingOnUse, type TokenDeps } from './rulings.ts';
import { spentToday } from './spent-today.ts';

interface TrainDeps extends TokenDeps {
  readonly control: Pick<ControlStore, 'ruling' | 'rule' | 'ledger'>;
  readonly services: Omit<TokenDeps['services'], 'config'> & {
    config(service: string): Promise<Pick<ServiceConfig, 'environment'> & Partial<Pick<ServiceConfig, 'limits'>>>;
  };
}

export const createTrainPermissionActivities = (deps: TrainDeps): TrainPermission =>
  failing({
    // Safe to repeat: the store keeps the first answer under the key of the question.
    mayTrain: async (question: TrainQuestion): Promise<TrainAnswer> => {
      const { key, workflow, service, requestedBy, reason, token, steps } = question;
      const facts = { steps, used: await spentToday(deps, service), limits: await limitsOf(deps, service) };
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

/** What a day may take. A configuration that cannot be read is refused for its environment, which is not known then. */
const limitsOf = async ({ services }: TrainDeps, service: string) => {
  const { limits } = await services.config(service).catch(() => ({ limits: undefined }));
  const { dollarsPerDay, gpuMinutesPerDay } = limits ?? {};
  return {
    ...(dollarsPerDay !== undefined && { centsPerDay: Math.round(100 * dollarsPerDay) }),
    ...(gpuMinutesPerDay !== undefined && { gpuMinutesPerDay }),
  };
};
