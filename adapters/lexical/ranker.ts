import type { DatabaseSync } from 'node:sqlite';
import type { SearchSettings } from '../../contracts/variant.ts';
import { expressionOf } from './query.ts';

export interface Row {
  readonly rowid: number;
  readonly score: number;
}

/** Documents with at least one of the terms, by BM25; ties in the order of the corpus. */
export interface Ranker {
  rank(terms: readonly string[], weights: SearchSettings['weights'], depth: number): Row[];
}

export interface Ranked {
  /** A table of FTS5 with the columns title and body. */
  readonly table?: string;
  /** A function of SQLite that is true for the rows that may be found. */
  readonly only?: string;
}

/** What serves: FTS5 reads only the postings that a query needs. */
export function ftsRanker(db: DatabaseSync, { table = 'tokens', only }: Ranked = {}): Ranker {
  const allowed = only === undefined ? '' : `AND ${only}(rowid)`;
  const best = db.prepare(
    `SELECT rowid, -bm25(${table}, ?, ?) AS score FROM ${table} WHERE ${table} MATCH ? ${allowed} ORDER BY score DESC, rowid LIMIT ?`,
  );
  return {
    rank(terms, { title, body }, depth) {
      if (terms.length === 0) return [];
      return best.all(title, body, expressionOf(terms), depth) as unknown as Row[];
    },
  };
}
