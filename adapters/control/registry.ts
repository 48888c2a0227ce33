import { PawlError } from '../../contracts/failures.ts';
import type { Variant } from '../../contracts/variant.ts';
import type { Vitals } from '../../contracts/vitals.ts';
import type { Database } from '../sqlite/database.ts';
import type { Once } from './answers.ts';
import type { Ledger } from './ledger.ts';
import { nothing, variantRow, vitals as vitalsColumn } from './rows.ts';

/** Which variants there are, and what each read like when it became champion. */
export interface Registry {
  knows(service: string, variant: string): boolean;
  addVariant(variant: Variant): void;
  variant(id: string): Variant | null;
  variants(service: string): readonly Variant[];
  setBaseline(entry: { key: string; variant: string; vitals: Vitals }): void;
  baseline(service: string, variant: string): Vitals | null;
}

export const createRegistry = (database: Database, once: Once, ledger: Ledger): Registry => {
  const { db, attempt, transaction } = database;
  const find = db.prepare('SELECT * FROM variants WHERE id = ?');
  const list = db.prepare('SELECT * FROM variants WHERE service = ? ORDER BY created_at, rowid');
  const insert = db.prepare(
    'INSERT INTO variants (id, service, uri, sha256, origin, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const findBaseline = db.prepare('SELECT vitals FROM baselines WHERE service = ? AND variant = ?');
  const putBaseline = db.prepare(
    'INSERT INTO baselines VALUES (?, ?, ?) ON CONFLICT (service, variant) DO UPDATE SET vitals = excluded.vitals',
  );

  const variant = (id: string): Variant | null => {
    const row = attempt(() => find.get(id));
    return row ? variantRow.parse(row) : null;
  };

  return {
    variant,
    knows: (service, id) => variant(id)?.service === service,
    variants: (service) => attempt(() => list.all(service)).map((row) => variantRow.parse(row)),

    // Two cycles may build the same variant: the first one is its origin.
    addVariant: (added) =>
      transaction(() => {
        const { id, service, artifact, origin, createdAt } = added;
        const present = variant(id);
        if (present?.service === service && present.artifact.sha256 === artifact.sha256) return;
        if (present) {
          throw new PawlError(
            'Usage',
            `Variant ${id} is already registered for ${present.service} with other content`,
            {
              hint: 'A variant is named by the digest of its content, service included: take the digest as its id.',
            },
          );
        }
        insert.run(id, service, artifact.uri, artifact.sha256, origin, createdAt);
        const actor = { kind: 'registry', name: origin };
        ledger.append({ service, cycle: null, kind: 'variant', actor, reason: 'built', body: { ...added } });
      }),

    setBaseline: (entry) => {
      once('baseline', entry, nothing, () => {
        const { key, variant: id, vitals } = entry;
        putBaseline.run(vitals.service, id, JSON.stringify(vitals));
        const actor = { kind: 'registry', name: 'baseline' };
        const body = { key, variant: id, vitals };
        ledger.append({ service: vitals.service, cycle: null, kind: 'baseline', actor, reason: 'measured', body });
        return null;
      });
    },
    baseline: (service, id) => {
      const row = attempt(() => findBaseline.get(service, id));
      return row ? vitalsColumn.parse(row.vitals) : null;
    },
  };
};
