/**
 * An index in one SQLite file: words in FTS5, vectors in memory, each leg and the writer in a thread of its own.
 *
 * 1. Both legs of an answer are of one state of the file: each says from which version it answered, and the one that is
 *    behind is asked again.
 * 2. A question that comes after `apply` sees it, in whatever process: a leg looks at the file before it answers.
 * 3. Writing stops no reader (WAL), and neither stops the caller's event loop.
 */
import { extname } from 'node:path';
import { WorkPool } from '../../ml/session/work-pool.ts';
import type { Database } from '../sqlite/database.ts';
import type { DenseOptions } from './dense-leg.ts';
import type { DenseJob } from './dense-thread.ts';
import { type IndexFile, type InOneState, openToWrite, stateReader } from './index-file.ts';
import type { IndexChanges } from './index-writer.ts';
import type { LegAnswer } from './leg.ts';
import type { LexicalQuestion } from './lexical-leg.ts';
import type {
  ChunkIndex,
  IndexCounts,
  IndexedDocument,
  IndexQuestion,
  IndexRecipe,
  Legs,
  StoredChunk,
} from './port.ts';
import { checkVector, checkVectors } from './vectors.ts';

type LexicalPool = WorkPool<LexicalQuestion, LegAnswer>;
type Writer = WorkPool<IndexChanges, null>;
type DensePool = WorkPool<DenseJob, LegAnswer | null>;

export interface EmbeddedOptions {
  /** A tenant with so many vectors gets a graph. */
  readonly graphFrom?: number;
}

const threadOf = (name: string): URL => new URL(`./${name}-thread${extname(import.meta.filename)}`, import.meta.url);

export async function openEmbeddedIndex(file: IndexFile, options: EmbeddedOptions): Promise<ChunkIndex> {
  const database = openToWrite(file);
  const { folder, recipe } = file;
  const { dimensions } = recipe;
  const standing: DenseOptions = { folder, dimensions: dimensions ?? 0, ...options };
  const [lexical, dense] = await Promise.allSettled([
    WorkPool.open<LexicalQuestion, LegAnswer>({ module: threadOf('lexical'), standing: () => file, size: 1 }),
    dimensions === null
      ? null
      : WorkPool.open<DenseJob, LegAnswer | null>({ module: threadOf('dense'), standing: () => standing, size: 1 }),
  ]);
  if (lexical.status === 'fulfilled' && dense.status === 'fulfilled') {
    return new EmbeddedIndex(file, database, lexical.value, dense.value);
  }
  database.close();
  for (const pool of [lexical, dense]) if (pool.status === 'fulfilled') await pool.value?.close();
  throw lexical.status === 'rejected' ? lexical.reason : dense.status === 'rejected' ? dense.reason : undefined;
}

class EmbeddedIndex implements ChunkIndex {
  readonly #file: IndexFile;
  readonly #recipe: IndexRecipe;
  readonly #database: Database;
  readonly #inOneState: InOneState;
  readonly #lexical: LexicalPool;
  readonly #dense: DensePool | null;
  /** Started by the first change: most indexes are asked far more often than they are written. */
  #writer: Promise<Writer> | null = null;

  constructor(file: IndexFile, database: Database, lexical: LexicalPool, dense: DensePool | null) {
    this.#file = file;
    this.#recipe = file.recipe;
    this.#database = database;
    this.#inOneState = stateReader(database.db);
    this.#lexical = lexical;
    this.#dense = dense;
  }

  async cursor(): Promise<number> {
    const { db, attempt } = this.#database;
    return attempt(() => Number(db.prepare('SELECT cursor FROM state').get()?.cursor));
  }

  async counts(): Promise<IndexCounts> {
    const { db, attempt } = this.#database;
    const { documents, chunks } = attempt(() => db.prepare('SELECT documents, chunks FROM state').get()) ?? {};
    return { documents: Number(documents), chunks: Number(chunks) };
  }

  async apply(changes: IndexChanges): Promise<void> {
    checkVectors(changes.documents, this.#recipe.dimensions);
    await (await this.#writing()).run({ ...changes, documents: changes.documents.map(withOwnVectors) });
    await this.#dense?.run(null);
  }

  #writing(): Promise<Writer> {
    this.#writer ??= WorkPool.open<IndexChanges, null>({
      module: threadOf('writing'),
      standing: () => this.#file,
      size: 1,
    }).catch((error: unknown) => {
      this.#writer = null; // The next change tries again.
      throw error;
    });
    return this.#writer;
  }

  async search({ tenant, filter, limit, dense, lexical }: IndexQuestion): Promise<Legs> {
    if (dense !== null) checkVector('The question', dense.vector, this.#recipe.dimensions);
    const byMeaning = () =>
      dense && this.#dense ? this.#dense.run({ tenant, filter, limit, vector: dense.vector }) : null;
    const byWords = () => (lexical ? this.#lexical.run({ tenant, filter, limit, ...lexical }) : null);

    let [near, worded] = await Promise.all([byMeaning(), byWords()]);
    // Comes to its end: between two turns somebody must have written, and a turn is much shorter than writing is.
    while (near && worded && near.version !== worded.version) {
      if (near.version < worded.version) near = await byMeaning();
      else worded = await byWords();
    }
    return { dense: near?.hits ?? [], lexical: worded?.hits ?? [] };
  }

  async chunks(tenant: string, keys: readonly string[]): Promise<readonly StoredChunk[]> {
    const { db } = this.#database;
    return this.#inOneState(() => {
      const find = db.prepare(
        `SELECT c.place, c.start, c.end, c.headings, c.text, d.id, d.title, d.metadata, v.vector
         FROM chunks c JOIN documents d ON d.number = c.document JOIN tenants t ON t.number = d.tenant
           LEFT JOIN vectors v ON v.key = c.key
         WHERE c.key = ? AND t.name = ?`,
      );
      return keys.flatMap((key) => {
        const row = /^\d{1,15}$/.test(key) ? find.get(Number(key), tenant) : undefined;
        return row === undefined ? [] : [stored(key, row)];
      });
    });
  }

  async close(): Promise<void> {
    const writer = await this.#writer?.catch(() => null);
    await Promise.all([writer?.close(), this.#lexical.close(), this.#dense?.close()]);
    this.#database.close();
  }
}

/** A vector that is a part of a larger buffer would take all of it along to the thread. */
const withOwnVectors = (document: IndexedDocument): IndexedDocument => ({
  ...document,
  chunks: document.chunks.map((chunk) => ({ ...chunk, vector: chunk.vector?.slice() ?? null })),
});

const stored = (key: string, row: Record<string, unknown>): StoredChunk => ({
  key,
  document: String(row.id),
  title: String(row.title),
  index: Number(row.place),
  start: Number(row.start),
  end: Number(row.end),
  text: String(row.text),
  headings: JSON.parse(String(row.headings)),
  metadata: JSON.parse(String(row.metadata)),
  // What SQLite hands out need not begin where a float may.
  vector: row.vector instanceof Uint8Array ? new Float32Array(row.vector.slice().buffer) : null,
});
