/** The document store's statements on PostgreSQL; postgres-change.ts says how changes keep their order. */
import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { openPostgres } from '../postgres/database.ts';
import { documentOf } from './content.ts';
import type { DocumentStore } from './port.ts';
import type { PostgresDocuments } from './postgres.ts';
import { beginChange, type Change, draftOf } from './postgres-change.ts';
import { type DocumentTables, POSTGRES_DOCUMENTS_MIGRATIONS } from './postgres-schema.ts';

type Db = Kysely<DocumentTables>;

export const postgresDocumentStatements = ({ address, service, now = Date.now }: PostgresDocuments): DocumentStore => {
  const store = (db: Db) => db.selectFrom('document_stores').selectAll().where('service', '=', service);
  const of = (db: Db) => db.selectFrom('documents').where('service', '=', service);
  const { attempt, transaction, close } = openPostgres<DocumentTables>({
    ...{ address, part: 'documents', migrations: POSTGRES_DOCUMENTS_MIGRATIONS, turn: null, connections: 3 },
    begin: {
      due: async (db) => (await store(db).executeTakeFirst()) === undefined,
      change: async (tx) => {
        const insert = tx
          .insertInto('document_stores')
          .values({ service, store: randomBytes(8).toString('hex'), generation: 0, seq: 0 });
        await insert.onConflict((conflict) => conflict.doNothing()).execute();
      },
    },
  });
  const changing = <T>(tenant: string, ids: readonly string[] | null, work: (change: Change) => T) =>
    transaction(async (tx) => {
      const about = { service, tenant, now: now(), ...(ids && { ids }) };
      const change = await beginChange(tx, about);
      const result = work(change);
      return { result, seq: await change.done() };
    });
  /** Gateways count every second; between two changes there is nothing new to count. */
  let counted: (Counts & { readonly except: string }) | null = null;
  const mine = () => attempt((db) => store(db).executeTakeFirstOrThrow());

  return {
    put: async (tenant, documents, origin) => {
      const drafts = documents.map(draftOf);
      const ids = drafts.map(({ id }) => id);
      const { result, seq } = await changing(tenant, ids, ({ put }) => drafts.map((draft) => put(draft, origin)));
      return { changed: result.filter((what) => what !== 'same').length, seq };
    },

    remove: async (tenant, given, origin) => {
      const ids = given.map((id) => id.toWellFormed());
      const { result, seq } = await changing(tenant, ids, ({ remove }) => ids.filter((id) => remove(id, origin)));
      return { changed: result.length, seq };
    },

    sync: async (tenant, documents, origin) => {
      const drafts = documents.map(draftOf);
      const kept = new Set(drafts.map(({ id }) => id));
      const { result, seq } = await changing(tenant, null, ({ known, put, remove }) => {
        const counts = { added: 0, changed: 0, removed: 0 };
        for (const draft of drafts) {
          if ((known.get(draft.id)?.origin ?? origin) !== origin) continue;
          const what = put(draft, origin);
          if (what !== 'same') counts[what]++;
        }
        for (const [id, before] of [...known]) {
          if (before.origin === origin && !kept.has(id) && remove(id, origin)) counts.removed++;
        }
        return counts;
      });
      return { ...result, seq };
    },

    get: (tenant, id) =>
      attempt(async (db) => {
        const found = of(db).select('content').where('tenant', '=', tenant).where('id', '=', id);
        const content = (await found.executeTakeFirst())?.content ?? null;
        return content === null ? null : documentOf(id, content);
      }),

    list: (tenant, { after = '', limit }) =>
      attempt(async (db) => {
        const found = of(db)
          .select(['id', 'title', 'characters', 'changed_at'])
          .where('tenant', '=', tenant)
          .where('id', '>', after)
          .where('content', 'is not', null);
        const rows = await found.orderBy('id').limit(limit).execute();
        return rows.map(({ changed_at, ...rest }) => ({ ...rest, changedAt: changed_at }));
      }),

    changes: (after, limit) =>
      attempt(async (db) => {
        const found = of(db).select(['seq', 'tenant', 'id', 'content']).where('seq', '>', after);
        const rows = await found.orderBy('seq').limit(limit).execute();
        return rows.map(({ content, ...rest }) => ({
          ...rest,
          document: content === null ? null : documentOf(rest.id, content),
        }));
      }),

    counts: async (except = '') => {
      const { seq } = await mine();
      if (counted?.seq !== seq || counted.except !== except)
        counted = { except, ...(await attempt((db) => countsOf(db, service, except))) };
      const { documents, others } = counted;
      return { seq: counted.seq, documents, others };
    },

    identity: async () => (await mine()).store,
    generation: async () => (await mine()).generation,
    rebuild: () =>
      transaction(async (tx) => {
        const raised = tx.updateTable('document_stores').set({ generation: sql<number>`generation + 1` });
        const row = raised.where('service', '=', service).returning('generation');
        return (await row.executeTakeFirstOrThrow()).generation;
      }),
    close,
  };
};

type Counts = Awaited<ReturnType<DocumentStore['counts']>>;

/** In one statement: a number that is seen has its documents counted. */
const countsOf = async (db: Db, service: string, except: string): Promise<Counts> => {
  const { rows } = await sql<Counts>`
    SELECT (SELECT seq FROM document_stores WHERE service = ${service}) AS seq,
      count(*) AS documents, count(*) FILTER (WHERE origin <> ${except}) AS others
    FROM documents WHERE service = ${service} AND content IS NOT NULL`.execute(db);
  return rows[0] ?? { seq: 0, documents: 0, others: 0 };
};
