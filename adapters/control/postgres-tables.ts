/** The control store's statements on PostgreSQL. */
import { type Kysely, sql } from 'kysely';
import type { RegisteredModel } from '../../contracts/model.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import type { Variant } from '../../contracts/variant.ts';
import { batches } from '../postgres/batches.ts';
import type { GivenAnswer } from './answers.ts';
import { type ChainEnd, type ChainHead, type HashedRow, headColumns, headOver, readHead } from './chain.ts';
import type { Effects, Facts, Fleet, Needs } from './draft.ts';
import type { LedgerQuery } from './ledger.ts';
import type { ControlTables } from './postgres-schema.ts';
import { answerRow, modelRow, serviceRow, variantRow } from './rows.ts';
import { forgetBefore } from './rulings.ts';

type Db = Kysely<ControlTables>;

export const factsFor = async (db: Db, needs: Needs): Promise<Facts> => {
  const services = needs.services === 'all' ? await serviceNames(db) : needs.services;
  return {
    answers: await answersTo(db, needs.answers),
    services: await servicesNamed(db, services),
    variants: await variantsNamed(db, needs.variants),
    models: await modelsNamed(db, needs.models),
    fleet: needs.fleet ? await fleetNow(db) : null,
    spender: needs.nonce === undefined ? null : await spenderOf(db, needs.nonce),
  };
};

/** All but the rows of the ledger. */
export const write = async (db: Db, effects: Effects, at: string): Promise<void> => {
  for (const { id, service, artifact, origin, createdAt } of effects.variants) {
    const { uri, sha256 } = artifact;
    await db.insertInto('variants').values({ id, service, uri, sha256, origin, created_at: createdAt }).execute();
  }
  for (const { card, createdAt, ...model } of effects.models) {
    const { id, kind, name, service, base } = model;
    const { uri, sha256 } = card;
    const row = { id, kind, name, service, base, uri, sha256, created_at: createdAt };
    await db.insertInto('models').values(row).execute();
  }
  for (const { arms, ...state } of effects.services.values()) {
    const row = { ...state, arms: JSON.stringify(arms) };
    const { service: _, ...changed } = row;
    const insert = db.insertInto('services').values(row);
    await insert.onConflict((conflict) => conflict.column('service').doUpdateSet(changed)).execute();
  }
  if (effects.fleet) await db.updateTable('fleet').set(effects.fleet).execute();
  for (const { variant, vitals } of effects.baselines) {
    const text = JSON.stringify(vitals);
    const insert = db.insertInto('baselines').values({ service: vitals.service, variant, vitals: text });
    await insert
      .onConflict((conflict) => conflict.columns(['service', 'variant']).doUpdateSet({ vitals: text }))
      .execute();
  }
  if (effects.spent) {
    const { nonce, key, expiresAt } = effects.spent;
    await db.deleteFrom('nonces').where('expires_at', '<', forgetBefore(at)).execute();
    await db.insertInto('nonces').values({ nonce, key, expires_at: expiresAt }).execute();
  }
  const answers = [...effects.answers].map(([key, given]) => ({ key, ...given }));
  for (const some of batches(answers)) await db.insertInto('answers').values(some).execute();
};

/** What there is of each name, or null; the database has made whole characters of the halves in a name. */
const byName = <R, T>(
  names: readonly string[],
  rows: readonly R[],
  nameOf: (row: R) => string,
  parse: (row: R) => T,
) => {
  const found = new Map(rows.map((row) => [nameOf(row), parse(row)]));
  return new Map<string, T | null>(names.map((name) => [name, found.get(name.toWellFormed()) ?? null]));
};
type Found<T> = Promise<ReadonlyMap<string, T | null>>;
const anyOf = (names: readonly string[]) => sql<string>`any(${names})`;

export const answersTo = async (db: Db, keys: readonly string[] = []): Found<GivenAnswer> => {
  if (keys.length === 0) return new Map();
  const rows = await db.selectFrom('answers').selectAll().where('key', '=', anyOf(keys)).execute();
  return byName(
    keys,
    rows,
    ({ key }) => key,
    (row) => answerRow.parse(row),
  );
};

export const servicesNamed = async (db: Db, names: readonly string[] = []): Found<ServiceState> => {
  if (names.length === 0) return new Map();
  const rows = await db.selectFrom('services').selectAll().where('service', '=', anyOf(names)).execute();
  return byName(
    names,
    rows,
    ({ service }) => service,
    (row) => serviceRow.parse(row),
  );
};

export const variantsNamed = async (db: Db, ids: readonly string[] = []): Found<Variant> => {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('variants').selectAll().where('id', '=', anyOf(ids)).execute();
  return byName(
    ids,
    rows,
    ({ id }) => id,
    (row) => variantRow.parse(row),
  );
};

export const modelsNamed = async (db: Db, ids: readonly string[] = []): Found<RegisteredModel> => {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('models').selectAll().where('id', '=', anyOf(ids)).execute();
  return byName(
    ids,
    rows,
    ({ id }) => id,
    (row) => modelRow.parse(row),
  );
};

export const serviceNames = async (db: Db): Promise<readonly string[]> => {
  const rows = await db.selectFrom('services').select('service').orderBy('service').execute();
  return rows.map(({ service }) => service);
};

/** Killed, where the row is gone. */
export const fleetNow = async (db: Db): Promise<Fleet> => {
  const row = await db.selectFrom('fleet').select(['killed', 'because']).executeTakeFirst();
  return { killed: row?.killed !== false, because: String(row?.because) };
};

const spenderOf = async (db: Db, nonce: string): Promise<string | null> =>
  (await db.selectFrom('nonces').select('key').where('nonce', '=', nonce).executeTakeFirst())?.key ?? null;

export const hashesNow = async (db: Db): Promise<readonly string[]> =>
  (await db.selectFrom('ledger').select('hash').orderBy('seq').execute()).map(({ hash }) => hash);

export const headNow = async (db: Db): Promise<ChainHead> =>
  readHead(await db.selectFrom('ledger_head').selectAll().executeTakeFirst()) ?? headOver(await hashesNow(db));

export const saveHead = async (db: Db, head: ChainHead): Promise<void> => {
  const columns = headColumns(head);
  const insert = db.insertInto('ledger_head').values({ id: 1, ...columns });
  await insert.onConflict((conflict) => conflict.column('id').doUpdateSet(columns)).execute();
};

/** Asked in one go: every change does. */
export const chainEnd = async (db: Db): Promise<ChainEnd> => {
  const row = await db
    .selectFrom((ledger) =>
      ledger
        .selectFrom('ledger')
        .select(({ fn }) => fn.max('seq').as('newest'))
        .as('end'),
    )
    .leftJoin('ledger_head', (join) => join.onTrue())
    .selectAll()
    .executeTakeFirstOrThrow();
  return { head: readHead(row) ?? headOver(await hashesNow(db)), newest: row.newest ?? 0 };
};

export const addRows = async (db: Db, rows: readonly HashedRow[]): Promise<void> => {
  for (const some of batches(rows)) await db.insertInto('ledger').values(some).execute();
};

export const rowsOf = async (db: Db, { wanted, afterSeq, limit, newest }: LedgerQuery) => {
  const { service, cycle, kind, since, until } = wanted;
  let query = db.selectFrom('ledger').selectAll().where('seq', '>', afterSeq);
  if (service !== undefined) query = query.where('service', '=', service);
  if (cycle !== undefined) query = query.where('cycle', '=', cycle);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (since !== undefined) query = query.where('at', '>=', since);
  if (until !== undefined) query = query.where('at', '<=', until);
  if (limit !== null) query = query.limit(limit);
  const rows = await query.orderBy('seq', newest ? 'desc' : 'asc').execute();
  return (newest ? rows.reverse() : rows).map((row) => ({ ...row }));
};
