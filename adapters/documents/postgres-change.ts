/**
 * One change of a service's documents on PostgreSQL.
 *
 * 1. It holds the row of its service, from before it takes a number until it is committed or given up. So numbers are
 *    committed in their order: whoever reads one has not missed a smaller one, and a number that was given up is given again.
 * 2. What takes long, texts and digests, is done before: others wait for the statements alone.
 */
import { type Kysely, sql } from 'kysely';
import type { SourceDocument } from '../../contracts/retrieval.ts';
import { contentOf, digestOf } from './content.ts';
import type { DocumentTables } from './postgres-schema.ts';

type Row = DocumentTables['documents'];
type Known = Pick<Row, 'origin' | 'digest'>;

/** A document as it is written. */
export interface Draft {
  readonly id: string;
  readonly digest: string | null;
  readonly title: string;
  readonly characters: number;
  readonly content: string | null;
}

export const draftOf = (document: SourceDocument): Draft => {
  const content = contentOf(document);
  const { id, title, text } = document;
  return { id: id.toWellFormed(), digest: digestOf(content), title, characters: text.length, content };
};

export interface Change {
  readonly known: ReadonlyMap<string, Known>;
  put(draft: Draft, origin: string): 'added' | 'changed' | 'same';
  remove(id: string, origin: string): boolean;
  /** Writes it all; answers with the number of the last change. */
  done(): Promise<number>;
}

export interface Changing {
  readonly service: string;
  readonly tenant: string;
  /** Documents that it may be about; absent: all of the tenant. */
  readonly ids?: readonly string[];
  readonly now: number;
}

export const beginChange = async (tx: Kysely<DocumentTables>, about: Changing): Promise<Change> => {
  const { service, tenant, ids, now } = about;
  const store = tx.selectFrom('document_stores').select('seq').where('service', '=', service).forUpdate();
  const { seq: from } = await store.executeTakeFirstOrThrow();
  const all = tx.selectFrom('documents').select(['id', 'origin', 'digest']).where('service', '=', service);
  const those = all.where('tenant', '=', tenant);
  const rows = await (ids ? those.where('id', '=', sql<string>`any(${ids})`) : those).execute();

  const known = new Map<string, Known>(rows.map(({ id, ...rest }) => [id, rest]));
  const written = new Map<string, Row>();
  let seq = from;
  const set = (draft: Draft, origin: string): void => {
    known.set(draft.id, { origin, digest: draft.digest });
    written.set(draft.id, { service, tenant, origin, seq: ++seq, changed_at: now, ...draft });
  };
  return {
    known,
    put: (draft, origin) => {
      const before = known.get(draft.id);
      if (before?.origin === origin && before.digest === draft.digest) return 'same';
      set(draft, origin);
      return (before?.digest ?? null) === null ? 'added' : 'changed';
    },
    remove: (id, origin) => {
      if ((known.get(id)?.digest ?? null) === null) return false;
      set({ id, digest: null, title: '', characters: 0, content: null }, origin);
      return true;
    },
    done: async () => {
      for (const some of portions([...written.values()])) await upsert(tx, some);
      if (seq > from) await tx.updateTable('document_stores').set({ seq }).where('service', '=', service).execute();
      return seq;
    },
  };
};

const upsert = async (tx: Kysely<DocumentTables>, rows: readonly Row[]): Promise<void> => {
  const insert = tx.insertInto('documents').values(rows);
  await insert
    .onConflict((conflict) =>
      conflict.columns(['service', 'tenant', 'id']).doUpdateSet(({ ref }) => ({
        ...{ origin: ref('excluded.origin'), seq: ref('excluded.seq'), changed_at: ref('excluded.changed_at') },
        ...{ digest: ref('excluded.digest'), title: ref('excluded.title'), characters: ref('excluded.characters') },
        content: ref('excluded.content'),
      })),
    )
    .execute();
};

/** Of one statement: it stands in memory as a whole, here and there. */
const MOST_ROWS = 500;
const MOST_CHARACTERS = 4_000_000;

function* portions(rows: readonly Row[]): Generator<readonly Row[]> {
  let some: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    if (some.length === MOST_ROWS || (some.length > 0 && characters + row.characters > MOST_CHARACTERS)) {
      yield some;
      [some, characters] = [[], 0];
    }
    some.push(row);
    characters += row.characters;
  }
  if (some.length > 0) yield some;
}
