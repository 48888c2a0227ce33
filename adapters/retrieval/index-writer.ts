/** Takes changes of documents into the file of an index: one transaction each, its cursor among them. */
import { tokens } from '../../domain/tokens.ts';
import type { Database } from '../sqlite/database.ts';
import { createTokens, MOST_GONE, tokensTable } from './index-schema.ts';
import type { IndexedDocument, IndexRecipe } from './port.ts';

export interface IndexChanges {
  readonly cursor: number;
  readonly documents: readonly IndexedDocument[];
}

export class IndexWriter {
  readonly #database: Database;
  readonly #how: IndexRecipe['tokenising'];
  readonly #prepare: (sql: string) => Statement;

  constructor(database: Database, how: IndexRecipe['tokenising']) {
    this.#database = database;
    this.#how = how;
    const statements = new Map<string, Statement>();
    this.#prepare = (sql) => {
      const statement = statements.get(sql) ?? database.db.prepare(sql);
      statements.set(sql, statement);
      return statement;
    };
  }

  /** A cursor that was reached before says that this was taken up already. */
  apply({ cursor, documents }: IndexChanges): void {
    this.#database.transaction(() => {
      if (cursor <= Number(this.#prepare('SELECT cursor FROM state').get()?.cursor)) return;
      for (const document of documents) {
        this.#remove(document);
        if (document.chunks.length > 0) this.#add(document);
      }
      this.#prepare('DELETE FROM gone WHERE seq <= (SELECT max(seq) FROM gone) - ?').run(MOST_GONE);
      this.#prepare(
        `UPDATE state SET cursor = ?, version = version + ?,
           documents = (SELECT coalesce(sum(documents), 0) FROM tenants), chunks = (SELECT coalesce(sum(chunks), 0) FROM tenants)`,
      ).run(cursor, documents.length > 0 ? 1 : 0);
    });
  }

  #remove({ tenant: name, id }: IndexedDocument): void {
    const found = this.#prepare(
      'SELECT d.number, d.tenant FROM documents d JOIN tenants t ON t.number = d.tenant WHERE t.name = ? AND d.id = ?',
    ).get(name, id);
    if (found === undefined) return;
    const [tenant, document] = [Number(found.tenant), Number(found.number)];
    const chunks = this.#prepare('SELECT key FROM chunks WHERE document = ?').all(document);
    for (const { key } of chunks) {
      this.#prepare(`DELETE FROM ${tokensTable(tenant)} WHERE rowid = ?`).run(Number(key));
      this.#prepare('DELETE FROM vectors WHERE key = ?').run(Number(key));
      this.#prepare('INSERT INTO gone (tenant, key) VALUES (?, ?)').run(tenant, Number(key));
    }
    this.#prepare('DELETE FROM chunks WHERE document = ?').run(document);
    this.#prepare('DELETE FROM documents WHERE number = ?').run(document);
    this.#count(tenant, -1, -chunks.length);
  }

  #add({ tenant: name, id, title, metadata, chunks }: IndexedDocument): void {
    const tenant = this.#tenant(name);
    const document = this.#prepare('INSERT INTO documents (tenant, id, title, metadata) VALUES (?, ?, ?, ?)').run(
      ...[tenant, id, title, JSON.stringify(metadata)],
    ).lastInsertRowid;
    chunks.forEach(({ start, end, headings, text, vector }, place) => {
      const key = this.#prepare(
        'INSERT INTO chunks (document, place, start, end, headings, text) VALUES (?, ?, ?, ?, ?, ?)',
      ).run(document, place, start, end, JSON.stringify(headings), text).lastInsertRowid;
      // A chunk is found by what it stands under, too.
      const above = tokens([title, ...headings].join(' '), this.#how);
      this.#prepare(`INSERT INTO ${tokensTable(tenant)} (rowid, title, body) VALUES (?, ?, ?)`).run(
        ...[key, above.join(' '), tokens(text, this.#how).join(' ')],
      );
      if (vector === null) return;
      const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
      this.#prepare('INSERT INTO vectors (key, vector) VALUES (?, ?)').run(key, bytes);
    });
    this.#count(tenant, 1, chunks.length);
  }

  #tenant(name: string): number {
    const found = this.#prepare('SELECT number FROM tenants WHERE name = ?').get(name);
    if (found !== undefined) return Number(found.number);
    const tenant = Number(
      this.#prepare('INSERT INTO tenants (name, documents, chunks) VALUES (?, 0, 0)').run(name).lastInsertRowid,
    );
    this.#database.db.exec(createTokens(tenant));
    return tenant;
  }

  #count(tenant: number, documents: number, chunks: number): void {
    this.#prepare('UPDATE tenants SET documents = documents + ?, chunks = chunks + ? WHERE number = ?').run(
      ...[documents, chunks, tenant],
    );
  }
}

type Statement = ReturnType<Database['db']['prepare']>;
