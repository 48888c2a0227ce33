import { PawlError } from '../../contracts/failures.ts';
import { FLEET } from '../../contracts/ids.ts';
import type { RegisteredModel } from '../../contracts/model.ts';
import type { Variant } from '../../contracts/variant.ts';
import type { Change } from './draft.ts';
import type { ControlStore, ModelOrder } from './port.ts';
import { nothing } from './rows.ts';

type Baseline = Parameters<ControlStore['setBaseline']>[0];

/** Two cycles may build the same variant: the first one is its origin. */
export const addVariant = (added: Variant): Change<void> => ({
  needs: { variants: [added.id] },
  decide: (draft) => {
    const { id, service, artifact, origin } = added;
    const present = draft.variant(id);
    if (present?.service === service && present.artifact.sha256 === artifact.sha256) return;
    if (present) {
      throw new PawlError('Usage', `Variant ${id} is already registered for ${present.service} with other content`, {
        hint: 'A variant is named by the digest of its content, service included: take the digest as its id.',
      });
    }
    draft.effects.variants.push(added);
    const actor = { kind: 'registry', name: origin };
    draft.append({ service, cycle: null, kind: 'variant', actor, reason: 'built', body: { ...added } });
  },
});

export const setBaseline = (entry: Baseline): Change<void> => ({
  needs: { answers: [entry.key] },
  decide: (draft) => {
    draft.once('baseline', entry, nothing, () => {
      const { key, variant, vitals } = entry;
      draft.effects.baselines.push({ variant, vitals });
      const actor = { kind: 'registry', name: 'baseline' };
      const body = { key, variant, vitals };
      draft.append({ service: vitals.service, cycle: null, kind: 'baseline', actor, reason: 'measured', body });
      return null;
    });
  },
});

/** Whoever repeats the work makes the same card: the first one is when it was made. */
export const addModel = ({ model: added, actor, reason }: ModelOrder): Change<void> => ({
  needs: { models: [added.id] },
  decide: (draft) => {
    const { id, service, card } = added;
    if (card.sha256 !== id) {
      throw new PawlError('Usage', `Model ${id} has a card with another digest, ${card.sha256}`, {
        hint: 'A model is named by the digest of its card: take that as its id.',
      });
    }
    const present = draft.model(id);
    if (present) return refuseOther(present, added);
    draft.effects.models.push(added);
    draft.append({
      service: service ?? FLEET,
      cycle: null,
      kind: 'model registered',
      actor,
      reason,
      body: { ...added },
    });
  },
});

const refuseOther = (present: RegisteredModel, added: RegisteredModel): void => {
  const differing = (['kind', 'name', 'service', 'base'] as const).find((field) => present[field] !== added[field]);
  if (differing === undefined) return;
  throw new PawlError(
    'Usage',
    `Model ${added.id} is already registered, with the ${differing} ${present[differing]} instead of ${added[differing]}`,
    { hint: 'What is registered of a model is what its card says.' },
  );
};
