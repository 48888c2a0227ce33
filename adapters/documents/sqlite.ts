import { z } from 'zod';
import type { SourceDocument } from '../../contracts/retrieval.ts';
import { openDatabase } from '../sqlite/database.ts';
import { contentOf, digestOf, documentOf } from './content.ts';
import type { DocumentChange, DocumentStore } from './port.ts';

/** A document that was removed stays as a row without content, so that every index hears of it. */
const MIGRATIONS = [
  `
  CREATE TABLE documents (
    tenant     TEXT NOT NULL,
    id         TEXT NOT NULL,
    origin     TEXT NOT NULL,
    seq        INTEGER NOT NULL UNIQUE,
    changed_at REAL NOT NULL,
    digest     TEXT,
    content    TEXT CHECK (content IS NULL OR json_valid(content)),
    PRIMARY KEY (tenant, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX documents_of_origin ON documents (tenant, origin) WHERE content IS NOT NULL;
  CREATE TABLE indexing (store TEXT NOT NULL, generation INTEGER NOT NULL) STRICT;
  INSERT INTO indexing (store, generation) VALUES (lower(hex(randomblob(8))), 0);
  `,
];

const changed = z.object({ seq: z.number(), tenant: z.string(), id: z.string(), content: z.string().nullable() });

export const sqliteDocuments = (path: string, now: () => number = Date.now): DocumentStore => {
  const { db, attempt, transaction, close } = openDatabase({ path, migrations: MIGRATIONS, synchronous: 'FULL' });
  const lastSeq = db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM documents');
  const known = db.prepare('SELECT origin, digest FROM documents WHERE tenant = ? AND id = ?');
  const write = db.prepare(`
    INSERT INTO documents (tenant, id, origin, seq, changed_at, digest, content) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (tenant, id) DO UPDATE SET origin = excluded.origin, seq = excluded.seq, changed_at = excluded.changed_at,
      digest = excluded.digest, content = excluded.content`);
  const ofOrigin = db.prepare('SELECT id FROM documents WHERE tenant = ? AND origin = ? AND content IS NOT NULL');
  const one = db.prepare('SELECT content FROM documents WHERE tenant = ? AND id = ? AND content IS NOT NULL');
  const page = db.prepare(`
    SELECT id, content ->> '$.title' AS title, length(content ->> '$.text') AS characters, changed_at AS changedAt
    FROM documents WHERE tenant = ? AND id > ? AND content IS NOT NULL ORDER BY id LIMIT ?`);
  const after = db.prepare('SELECT seq, tenant, id, content FROM documents WHERE seq > ? ORDER BY seq LIMIT ?');
  const count = db.prepare(`
    SELECT count(*) AS documents, count(*) FILTER (WHERE origin != ?) AS others FROM documents WHERE content IS NOT NULL`);
  const indexing = db.prepare('SELECT store, generation FROM indexing');
  const raise = db.prepare('UPDATE indexing SET generation = generation + 1 RETURNING generation');

  /** Whatever one call changes: numbers from the last one on, and how many there were. */
  const changing = (tenant: string) => {
    let seq = Number(lastSeq.get()?.seq);
    const set = (id: string, origin: string, text: string | null): void => {
      write.run(tenant, id, origin, ++seq, now(), text === null ? null : digestOf(text), text);
    };
    return {
      seq: () => seq,
      put: (document: SourceDocument, origin: string): 'added' | 'changed' | 'same' => {
        const { id } = document;
        const before = known.get(tenant, id);
        const next = contentOf(document);
        if (before?.origin === origin && before.digest === digestOf(next)) return 'same';
        set(id, origin, next);
        return (before?.digest ?? null) === null ? 'added' : 'changed';
      },
      remove: (id: string, origin: string): boolean => {
        if ((known.get(tenant, id)?.digest ?? null) === null) return false;
        set(id, origin, null);
        return true;
      },
      originOf: (id: string): string | null => (known.get(tenant, id)?.origin as string | undefined) ?? null,
    };
  };

  return {
    put: async (tenant, documents, origin) =>
      transaction(() => {
        const change = changing(tenant);
        const done = documents.map((document) => change.put(document, origin));
        return { changed: done.filter((what) => what !== 'same').length, seq: change.seq() };
      }),

    remove: async (tenant, ids, origin) =>
      transaction(() => {
        const change = changing(tenant);
        return { changed: ids.filter((id) => change.remove(id, origin)).length, seq: change.seq() };
      }),

    sync: async (tenant, documents, origin) =>
      transaction(() => {
        const change = changing(tenant);
        const counts = { added: 0, changed: 0, removed: 0 };
        const kept = new Set<string>();
        for (const document of documents) {
          kept.add(document.id);
          if ((change.originOf(document.id) ?? origin) !== origin) continue;
          const what = change.put(document, origin);
          if (what !== 'same') counts[what]++;
        }
        for (const { id } of ofOrigin.all(tenant, origin)) {
          if (!kept.has(String(id)) && change.remove(String(id), origin)) counts.removed++;
        }
        return { ...counts, seq: change.seq() };
      }),

    get: async (tenant, id) => {
      const row = attempt(() => one.get(tenant, id));
      return row ? documentOf(id, String(row.content)) : null;
    },

    list: async (tenant, { after: last = '', limit }) =>
      attempt(() => page.all(tenant, last, limit)).map(({ id, title, characters, changedAt }) => ({
        ...{ id: String(id), title: String(title), characters: Number(characters), changedAt: Number(changedAt) },
      })),

    changes: async (seq, limit) =>
      attempt(() => after.all(seq, limit)).map((row): DocumentChange => {
        const { content: text, ...rest } = changed.parse(row);
        return { ...rest, document: text === null ? null : documentOf(rest.id, text) };
      }),

    counts: async (except = '') => {
      const row = attempt(() => ({ ...count.get(except), ...lastSeq.get() })) as Record<string, unknown>;
      return { seq: Number(row.seq), documents: Number(row.documents), others: Number(row.others) };
    },

    identity: async () => attempt(() => String(indexing.get()?.store)),
    generation: async () => attempt(() => Number(indexing.get()?.generation)),
    rebuild: async () => transaction(() => Number(raise.get()?.generation)),
    close,
  };
};
