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

/** What serves: FTS5 reads only the postings that a query needs. */
export function ftsRanker(db: DatabaseSync): Ranker {
  const best = db.prepare(
    'SELECT rowid, -bm25(tokens, ?, ?) AS score FROM tokens WHERE tokens MATCH ? ORDER BY score DESC, rowid LIMIT ?',
  );
  return {
    rank(terms, { title, body }, depth) {
      if (terms.length === 0) return [];
      return best.all(title, body, expressionOf(terms), depth) as unknown as Row[];
    },
  };
}
