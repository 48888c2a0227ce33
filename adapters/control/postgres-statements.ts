/** The control store's statements on PostgreSQL, for homes on several machines. */
import { openPostgres } from '../postgres/database.ts';
import { Draft } from './draft.ts';
import { createSeal } from './ledger.ts';
import type { PostgresControl } from './postgres.ts';
import { type ControlTables, POSTGRES_CONTROL_MIGRATIONS } from './postgres-schema.ts';
import {
  addRows,
  answersTo,
  chainEnd,
  factsFor,
  fleetNow,
  hashesNow,
  headNow,
  modelsNamed,
  rowsOf,
  saveHead,
  serviceNames,
  servicesNamed,
  variantsNamed,
  write,
} from './postgres-tables.ts';
import { modelRow, variantRow, vitals as vitalsColumn } from './rows.ts';
import type { Statements } from './store.ts';

export const postgresStatements = ({ address, key, now = Date.now, busyMs }: PostgresControl): Statements => {
  const seal = createSeal(key, true);
  const { attempt, transaction, close } = openPostgres<ControlTables>({
    address,
    part: 'control',
    migrations: POSTGRES_CONTROL_MIGRATIONS,
    turn: 'ledger_head',
    // The head of an empty ledger is signed too.
    begin: {
      due: async (db) => (await headNow(db)).vkey === '',
      change: async (tx) => {
        const head = await headNow(tx);
        if (head.vkey === '') await saveHead(tx, seal.signed(head));
      },
    },
    ...(busyMs !== undefined && { busyMs }),
  });

  return {
    change: (change) =>
      transaction(async (tx) => {
        const draft = new Draft(await factsFor(tx, change.needs), now());
        const answer = change.decide(draft);
        const { effects, at } = draft;
        await write(tx, effects, at);
        if (effects.rows.length > 0) {
          const { rows, head } = seal.sealed(await chainEnd(tx), effects.rows, at);
          await addRows(tx, rows);
          await saveHead(tx, head);
        }
        return answer;
      }),
    service: (name) => attempt(async (db) => (await servicesNamed(db, [name])).get(name) ?? null),
    services: () => attempt(serviceNames),
    fleet: () => attempt(fleetNow),
    variant: (id) => attempt(async (db) => (await variantsNamed(db, [id])).get(id) ?? null),
    variants: (service) =>
      attempt(async (db) => {
        const found = db.selectFrom('variants').selectAll().where('service', '=', service);
        return (await found.orderBy('created_at').orderBy('n').execute()).map((row) => variantRow.parse(row));
      }),
    baseline: (service, variant) =>
      attempt(async (db) => {
        const asked = db.selectFrom('baselines').select('vitals').where('service', '=', service);
        const row = await asked.where('variant', '=', variant).executeTakeFirst();
        return row ? vitalsColumn.parse(row.vitals) : null;
      }),
    model: (id) => attempt(async (db) => (await modelsNamed(db, [id])).get(id) ?? null),
    models: ({ service, kind }) =>
      attempt(async (db) => {
        const found = db
          .selectFrom('models')
          .selectAll()
          .$if(service !== undefined, (some) => some.where('service', '=', service ?? null))
          .$if(kind !== undefined, (some) => some.where('kind', '=', kind ?? ''));
        return (await found.orderBy('created_at').orderBy('n').execute()).map((row) => modelRow.parse(row));
      }),
    answer: (of) => attempt(async (db) => (await answersTo(db, [of])).get(of) ?? null),
    rows: (query) => attempt((db) => rowsOf(db, query)),
    head: () => attempt(headNow),
    hashes: () => attempt(hashesNow),
    close,
  };
};
