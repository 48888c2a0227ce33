import type { ControlStore } from '../adapters/control/port.ts';
import type { ControlActivities, StartAnswer, StartQuestion } from '../contracts/control.ts';
import { guardianId } from '../contracts/ids.ts';
import { failing } from './failure.ts';
import { rulingOnToken, rulingOnUse, type TokenDeps } from './rulings.ts';
import { dayBegan, spentToday } from './spent-today.ts';

interface StartDeps extends TokenDeps {
  readonly control: Pick<ControlStore, 'ruling' | 'rule' | 'ledger'>;
}

export const createStartActivities = (deps: StartDeps): Pick<ControlActivities, 'mayStart'> =>
  failing({
    // Safe to repeat: the store keeps the first answer under the key of the question.
    mayStart: async (question: StartQuestion): Promise<StartAnswer> => {
      const { key, service, request } = question;
      const { trigger, requestedBy, reason, token } = request;
      const facts = { trigger, used: await usedToday(deps, question), limits: limitsOf(question) };
      if (token === undefined) {
        const kind = trigger === 'hand' ? 'unsigned' : 'automation';
        const principal = { kind, name: requestedBy.name } as const;
        const use = { key, action: 'start', service, cycle: null, variant: null, principal, reason } as const;
        const { allowed, because, decision } = await rulingOnUse(deps, use, facts);
        return allowed ? { allowed, requestedBy, decision: decision?.id ?? '' } : { allowed, because };
      }
      const bound = { workflow: guardianId(service), step: null, variant: null, evidence: null };
      const use = { token, action: 'start', ...bound, key, about: { service } } as const;
      const claimed = requestedBy.kind === 'person' ? requestedBy.name : null;
      const { allowed, because, claims, decision } = await rulingOnToken(deps, use, facts, claimed);
      if (!allowed || !claims) return { allowed: false, because };
      return { allowed: true, requestedBy: { kind: 'person', name: claims.person }, decision: decision?.id ?? '' };
    },
  });

/** The guardian counts too, but what the ledger holds outlives a guardian that was terminated. */
const usedToday = async (deps: StartDeps, { service, admittedToday }: StartQuestion) => {
  const [admitted, spent] = await Promise.all([
    deps.control.ledger({ service, kind: 'cycle admitted', since: dayBegan(deps.now()) }),
    spentToday(deps, service),
  ]);
  return { cycles: Math.max(admittedToday, admitted.length), ...spent };
};

const limitsOf = ({ limits: { cyclesPerDay, centsPerDay, gpuMinutesPerDay } }: StartQuestion) => ({
  cyclesPerDay,
  ...(centsPerDay !== undefined && { centsPerDay }),
  ...(gpuMinutesPerDay !== undefined && { gpuMinutesPerDay }),
});
