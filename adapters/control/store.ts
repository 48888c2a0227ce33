import type { RegisteredModel } from '../../contracts/model.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import type { Variant } from '../../contracts/variant.ts';
import type { Vitals } from '../../contracts/vitals.ts';
import type { GivenAnswer } from './answers.ts';
import type { ChainHead } from './chain.ts';
import type { Change, Fleet } from './draft.ts';
import { type LedgerQuery, ledgerHead, ledgerQuery } from './ledger.ts';
import { arm, grant, kill, killAll, liftAll, noteAll, register, setGold, shift } from './orders.ts';
import type { ControlStore, ModelFilter } from './port.ts';
import { addModel, addVariant, setBaseline } from './registry.ts';
import { ledgerRow, storedRow } from './rows.ts';
import { rule, rulingOf } from './rulings.ts';

type Soon<T> = T | Promise<T>;
type Row = Record<string, unknown>;

/** What a database does for a control store; it decides nothing. */
export interface Statements {
  /** One transaction: reads what the change needs, lets it decide, and writes what it decided. Changes take turns. */
  change<A>(change: Change<A>): Soon<A>;
  service(name: string): Soon<ServiceState | null>;
  services(): Soon<readonly string[]>;
  fleet(): Soon<Fleet>;
  variant(id: string): Soon<Variant | null>;
  variants(service: string): Soon<readonly Variant[]>;
  baseline(service: string, variant: string): Soon<Vitals | null>;
  model(id: string): Soon<RegisteredModel | null>;
  models(filter: ModelFilter): Soon<readonly RegisteredModel[]>;
  answer(key: string): Soon<GivenAnswer | null>;
  /** In the order of the ledger. */
  rows(query: LedgerQuery): Soon<readonly Row[]>;
  head(): Soon<ChainHead>;
  hashes(): Soon<readonly string[]>;
  close(): void;
}

export const controlStore = (db: Statements): ControlStore => ({
  register: async (order) => db.change(register(order)),
  state: async (service) => db.service(service),
  services: async () => db.services(),

  grant: async (order) => db.change(grant(order)),
  shift: async (change) => db.change(shift(change)),
  kill: async (order) => db.change(kill(order)),
  arm: async (order) => db.change(arm(order)),
  setGold: async (order) => db.change(setGold(order)),
  killAll: async (order) => db.change(killAll(order)),
  liftAll: async (order) => db.change(liftAll(order)),
  fleetKilled: async () => (await db.fleet()).killed,

  addVariant: async (variant) => db.change(addVariant(variant)),
  variant: async (id) => db.variant(id),
  variants: async (service) => db.variants(service),
  setBaseline: async (entry) => db.change(setBaseline(entry)),
  baseline: async (service, variant) => db.baseline(service, variant),

  addModel: async (order) => db.change(addModel(order)),
  model: async (id) => db.model(id),
  models: async (filter) => db.models(filter),

  note: async (entry) => {
    await db.change(noteAll([entry]));
    return ledgerHead(await db.head());
  },
  noteAll: async (entries) => {
    await db.change(noteAll(entries));
    return ledgerHead(await db.head());
  },
  ledger: async (filter) => (await db.rows(ledgerQuery(filter))).map((row) => ledgerRow.parse(row)),
  head: async () => ledgerHead(await db.head()),
  hashes: async () => db.hashes(),
  ledgerKey: async () => (await db.head()).vkey || null,
  storedRows: async (page) => {
    const rows = (await db.rows(ledgerQuery(page))).map(storedRow);
    // Read after the rows, so that it covers them.
    const head = await db.head();
    return { rows, head: ledgerHead(head), peaks: head.peaks };
  },

  ruling: async (use) => rulingOf(use, await db.answer(use.key)),
  rule: async (use, ruled, spending) => db.change(rule(use, ruled, spending)),
  close: () => db.close(),
});
