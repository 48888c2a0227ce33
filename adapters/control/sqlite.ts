import { ledgerKeyFor } from '../keys/ledger-key.ts';
import { openDatabase } from '../sqlite/database.ts';
import type { NewRow } from './chain.ts';
import { Draft } from './draft.ts';
import { createSeal } from './ledger.ts';
import type { ControlStore } from './port.ts';
import { CONTROL_MIGRATIONS } from './schema.ts';
import { factsFor, sqliteTables, write } from './sqlite-tables.ts';
import { controlStore } from './store.ts';

export const sqliteControl = (path: string, now: () => number = Date.now): ControlStore => {
  const options = { path, migrations: CONTROL_MIGRATIONS, synchronous: 'FULL', keepOlder: true } as const;
  const { db, attempt, transaction, close } = openDatabase(options);
  const tables = sqliteTables(db);
  const seal = createSeal(ledgerKeyFor(path));

  // The head of an empty ledger, and of one that was just brought forward, is signed too.
  if (attempt(tables.head).vkey === '') {
    transaction(() => {
      const head = tables.head();
      if (head.vkey === '') tables.saveHead(seal.signed(head));
    });
  }
  const tell = (told: readonly NewRow[], at: string): void => {
    const { rows, head } = seal.sealed({ head: tables.head(), newest: tables.newest() }, told, at);
    for (const row of rows) tables.addRow(row);
    tables.saveHead(head);
  };
  /** Everything below reads outside of a transaction. */
  const reading =
    <Given extends unknown[], T>(read: (...given: Given) => T) =>
    (...given: Given): T =>
      attempt(() => read(...given));

  return controlStore({
    change: (change) =>
      transaction(() => {
        const draft = new Draft(factsFor(tables, change.needs), now());
        const answer = change.decide(draft);
        const { effects, at } = draft;
        write(tables, effects, at);
        if (effects.rows.length > 0) tell(effects.rows, at);
        return answer;
      }),
    service: reading(tables.service),
    services: reading(tables.services),
    fleet: reading(tables.fleet),
    variant: reading(tables.variant),
    variants: reading(tables.variants),
    baseline: reading(tables.baseline),
    model: reading(tables.model),
    models: reading(tables.models),
    answer: reading(tables.answer),
    rows: reading(tables.rows),
    head: reading(tables.head),
    hashes: reading(tables.hashes),
    close,
  });
};
