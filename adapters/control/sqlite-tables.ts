/** The control store's statements on SQLite. What reads is called outside of a transaction too. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RegisteredModel } from '../../contracts/model.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import type { Variant } from '../../contracts/variant.ts';
import type { Vitals } from '../../contracts/vitals.ts';
import type { GivenAnswer } from './answers.ts';
import { type ChainHead, type HashedRow, headColumns, headOver, readHead } from './chain.ts';
import type { Effects, Facts, Fleet, Needs } from './draft.ts';
import type { LedgerQuery } from './ledger.ts';
import type { ModelFilter } from './port.ts';
import { answerRow, modelRow, serviceRow, variantRow, vitals as vitalsColumn } from './rows.ts';
import { forgetBefore } from './rulings.ts';

const FILTERS = {
  service: 'service = :service',
  cycle: 'cycle = :cycle',
  kind: 'kind = :kind',
  since: 'at >= :since',
  until: 'at <= :until',
} as const satisfies Record<keyof LedgerQuery['wanted'], string>;

export const sqliteTables = (db: DatabaseSync) => ({
  ...serving(db),
  ...registry(db),
  ...records(db),
  ...ledger(db),
});
export type SqliteTables = ReturnType<typeof sqliteTables>;

export const factsFor = (tables: SqliteTables, needs: Needs): Facts => {
  const found = <T>(names: readonly string[] | undefined, find: (name: string) => T | null) =>
    new Map((names ?? []).map((name) => [name, find(name)] as const));
  return {
    answers: found(needs.answers, tables.answer),
    services: found(needs.services === 'all' ? tables.services() : needs.services, tables.service),
    variants: found(needs.variants, tables.variant),
    models: found(needs.models, tables.model),
    fleet: needs.fleet ? tables.fleet() : null,
    spender: needs.nonce === undefined ? null : tables.spender(needs.nonce),
  };
};

/** All but the rows of the ledger. */
export const write = (tables: SqliteTables, effects: Effects, at: string): void => {
  for (const variant of effects.variants) tables.addVariant(variant);
  for (const model of effects.models) tables.addModel(model);
  for (const state of effects.services.values()) tables.save(state);
  if (effects.fleet) tables.setFleet(effects.fleet);
  for (const { variant, vitals } of effects.baselines) tables.setBaseline(variant, vitals);
  if (effects.spent) {
    tables.forget(forgetBefore(at));
    tables.spend(effects.spent.nonce, effects.spent.key, effects.spent.expiresAt);
  }
  for (const [key, given] of effects.answers) tables.keep(key, given);
};

const serving = (db: DatabaseSync) => {
  const find = db.prepare('SELECT * FROM services WHERE service = ?');
  const names = db.prepare('SELECT service FROM services ORDER BY service');
  const save = db.prepare(`
    INSERT INTO services (service, latch, because, epoch, promotion, champion, gold, arms)
    VALUES (:service, :latch, :because, :epoch, :promotion, :champion, :gold, :arms)
    ON CONFLICT (service) DO UPDATE SET latch = :latch, because = :because, epoch = :epoch, promotion = :promotion,
      champion = :champion, gold = :gold, arms = :arms`);
  const fleet = db.prepare('SELECT killed, because FROM fleet');
  const setFleet = db.prepare('UPDATE fleet SET killed = ?, because = ?');
  return {
    service: (service: string): ServiceState | null => {
      const row = find.get(service);
      return row ? serviceRow.parse(row) : null;
    },
    services: (): readonly string[] => names.all().map((row) => String(row.service)),
    save: ({ arms, ...state }: ServiceState): void => {
      save.run({ ...state, arms: JSON.stringify(arms) });
    },
    fleet: (): Fleet => {
      const row = fleet.get();
      return { killed: row?.killed !== 0, because: String(row?.because) };
    },
    setFleet: ({ killed, because }: Fleet): void => {
      setFleet.run(killed ? 1 : 0, because);
    },
  };
};

const registry = (db: DatabaseSync) => {
  const findVariant = db.prepare('SELECT * FROM variants WHERE id = ?');
  const listVariants = db.prepare('SELECT * FROM variants WHERE service = ? ORDER BY created_at, rowid');
  const insertVariant = db.prepare(
    'INSERT INTO variants (id, service, uri, sha256, origin, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const findBaseline = db.prepare('SELECT vitals FROM baselines WHERE service = ? AND variant = ?');
  const putBaseline = db.prepare(
    'INSERT INTO baselines VALUES (?, ?, ?) ON CONFLICT (service, variant) DO UPDATE SET vitals = excluded.vitals',
  );
  const findModel = db.prepare('SELECT * FROM models WHERE id = ?');
  const listModels = db.prepare(`
    SELECT * FROM models WHERE (:service IS NULL OR service = :service) AND (:kind IS NULL OR kind = :kind)
    ORDER BY created_at, rowid`);
  const insertModel = db.prepare('INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  return {
    variant: (id: string): Variant | null => {
      const row = findVariant.get(id);
      return row ? variantRow.parse(row) : null;
    },
    variants: (service: string): readonly Variant[] => listVariants.all(service).map((row) => variantRow.parse(row)),
    addVariant: ({ id, service, artifact, origin, createdAt }: Variant): void => {
      insertVariant.run(id, service, artifact.uri, artifact.sha256, origin, createdAt);
    },
    baseline: (service: string, variant: string): Vitals | null => {
      const row = findBaseline.get(service, variant);
      return row ? vitalsColumn.parse(row.vitals) : null;
    },
    setBaseline: (variant: string, vitals: Vitals): void => {
      putBaseline.run(vitals.service, variant, JSON.stringify(vitals));
    },
    model: (id: string): RegisteredModel | null => {
      const row = findModel.get(id);
      return row ? modelRow.parse(row) : null;
    },
    models: ({ service = null, kind = null }: { [F in keyof ModelFilter]: ModelFilter[F] | null }) =>
      listModels.all({ service, kind }).map((row) => modelRow.parse(row)),
    addModel: ({ id, kind, name, service, base, card, createdAt }: RegisteredModel): void => {
      insertModel.run(id, kind, name, service, base, card.uri, card.sha256, createdAt);
    },
  };
};

const records = (db: DatabaseSync) => {
  const find = db.prepare('SELECT asked, answer, at FROM answers WHERE key = ?');
  const insert = db.prepare('INSERT INTO answers (key, asked, answer, at) VALUES (?, ?, ?, ?)');
  const forget = db.prepare('DELETE FROM nonces WHERE expires_at < ?');
  const spender = db.prepare('SELECT key FROM nonces WHERE nonce = ?');
  const spend = db.prepare('INSERT INTO nonces (nonce, key, expires_at) VALUES (?, ?, ?)');
  return {
    answer: (key: string): GivenAnswer | null => {
      const row = find.get(key);
      return row ? answerRow.parse(row) : null;
    },
    keep: (key: string, { asked, answer, at }: GivenAnswer): void => {
      insert.run(key, asked, answer, at);
    },
    spender: (nonce: string): string | null => {
      const spent = spender.get(nonce);
      return spent ? String(spent.key) : null;
    },
    forget: (before: string): void => {
      forget.run(before);
    },
    spend: (nonce: string, key: string, expiresAt: string): void => {
      spend.run(nonce, key, expiresAt);
    },
  };
};

const ledger = (db: DatabaseSync) => {
  const insert = db.prepare(`
    INSERT INTO ledger (seq, at, service, cycle, kind, actor, reason, body, prev, hash)
    VALUES (:seq, :at, :service, :cycle, :kind, :actor, :reason, :body, :prev, :hash)`);
  const find = db.prepare('SELECT * FROM ledger_head');
  const save = db.prepare(`
    INSERT OR REPLACE INTO ledger_head (id, origin, size, seq, last, root, peaks, vkey, checkpoint)
    VALUES (1, :origin, :size, :seq, :last, :root, :peaks, :vkey, :checkpoint)`);
  const newest = db.prepare('SELECT max(seq) AS seq FROM ledger');
  const hashes = db.prepare('SELECT hash FROM ledger ORDER BY seq');
  /** By what is asked for and nothing else, so that an index can find it. */
  const asked = new Map<string, StatementSync>();
  const reading = (filters: readonly string[], order: 'ASC' | 'DESC'): StatementSync => {
    const where = ['seq > :afterSeq', ...filters].join(' AND ');
    const sql = `SELECT * FROM ledger WHERE ${where} ORDER BY seq ${order} LIMIT :limit`;
    const statement = asked.get(sql) ?? db.prepare(sql);
    asked.set(sql, statement);
    return statement;
  };
  const hashesNow = (): readonly string[] => hashes.all().map(({ hash }) => String(hash));
  return {
    hashes: hashesNow,
    head: (): ChainHead => readHead(find.get()) ?? headOver(hashesNow()),
    saveHead: (head: ChainHead): void => {
      save.run(headColumns(head));
    },
    newest: (): number => Number(newest.get()?.seq ?? 0),
    addRow: (row: HashedRow): void => {
      insert.run({ ...row });
    },
    rows: ({ wanted, afterSeq, limit, newest: fromEnd }: LedgerQuery) => {
      const filters = Object.keys(wanted).map((name) => FILTERS[name as keyof typeof FILTERS]);
      const bound = { ...wanted, afterSeq, limit: limit ?? -1 }; // SQLite reads -1 as 'all'.
      const rows = reading(filters, fromEnd ? 'DESC' : 'ASC').all(bound);
      return fromEnd ? rows.reverse() : rows;
    },
  };
};
