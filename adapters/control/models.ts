import { PawlError } from '../../contracts/failures.ts';
import { FLEET } from '../../contracts/ids.ts';
import type { RegisteredModel } from '../../contracts/model.ts';
import type { Database } from '../sqlite/database.ts';
import type { Ledger } from './ledger.ts';
import type { ModelFilter, ModelOrder } from './port.ts';
import { modelRow } from './rows.ts';

/** Which models there are: their cards, by digest. */
export interface Models {
  addModel(order: ModelOrder): void;
  model(id: string): RegisteredModel | null;
  models(filter: ModelFilter): readonly RegisteredModel[];
}

export const createModels = ({ db, attempt, transaction }: Database, ledger: Ledger): Models => {
  const find = db.prepare('SELECT * FROM models WHERE id = ?');
  const list = db.prepare(`
    SELECT * FROM models WHERE (:service IS NULL OR service = :service) AND (:kind IS NULL OR kind = :kind)
    ORDER BY created_at, rowid`);
  const insert = db.prepare('INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?, ?)');

  const model = (id: string): RegisteredModel | null => {
    const row = attempt(() => find.get(id));
    return row ? modelRow.parse(row) : null;
  };

  return {
    model,
    models: ({ service = null, kind = null }) =>
      attempt(() => list.all({ service, kind })).map((row) => modelRow.parse(row)),

    // Whoever repeats the work makes the same card: the first one is when it was made.
    addModel: ({ model: added, actor, reason }) =>
      transaction(() => {
        const { id, kind, name, service, base, card, createdAt } = added;
        if (card.sha256 !== id) {
          throw new PawlError('Usage', `Model ${id} has a card with another digest, ${card.sha256}`, {
            hint: 'A model is named by the digest of its card: take that as its id.',
          });
        }
        const present = model(id);
        if (present) return refuseOther(present, added);
        insert.run(id, kind, name, service, base, card.uri, card.sha256, createdAt);
        const body = { ...added };
        ledger.append({ service: service ?? FLEET, cycle: null, kind: 'model registered', actor, reason, body });
      }),
  };
};

const refuseOther = (present: RegisteredModel, added: RegisteredModel): void => {
  const differing = (['kind', 'name', 'service', 'base'] as const).find((field) => present[field] !== added[field]);
  if (differing === undefined) return;
  throw new PawlError(
    'Usage',
    `Model ${added.id} is already registered, with the ${differing} ${present[differing]} instead of ${added[differing]}`,
    { hint: 'What is registered of a model is what its card says.' },
  );
};
