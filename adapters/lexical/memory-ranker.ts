/**
 * The ranking of FTS5 from postings in memory, a hundred times as fast: for training, which asks the same few hundred
 * queries thousands of times. A test holds it to FTS5's figures; what is evaluated and served runs on FTS5 itself.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Ranker, Row } from './ranker.ts';

// Fixed in FTS5's own bm25().
const K1 = 1.2;
const B = 0.75;
const LEAST_IDF = 1e-6;

/** Per term: row number, occurrences in the title, occurrences in the body, and so on. */
type Postings = ReadonlyMap<string, readonly number[]>;

export function memoryRanker(db: DatabaseSync, documents: number): Ranker {
  const { postings, lengths } = load(db, documents);
  const average = lengths.reduce((total, length) => total + length, 0) / Math.max(1, documents);
  const norms = lengths.map((length) => K1 * (1 - B + (B * length) / average));
  const scores = new Float64Array(documents + 1);

  return {
    rank(terms, { title, body }, depth) {
      const touched: number[] = [];
      for (const term of terms) {
        const list = postings.get(term) ?? [];
        const found = list.length / 3;
        const idf = Math.max(LEAST_IDF, Math.log((documents - found + 0.5) / (found + 0.5)));
        for (let at = 0; at < list.length; at += 3) {
          const row = list[at] ?? 0;
          const frequency = title * (list[at + 1] ?? 0) + body * (list[at + 2] ?? 0);
          if (scores[row] === 0) touched.push(row);
          // Never exactly 0 for a document that holds the term, so that it counts as found, as it does in FTS5.
          const part = idf * ((frequency * (K1 + 1)) / (frequency + (norms[row] ?? 1)));
          scores[row] = (scores[row] ?? 0) + (part || Number.MIN_VALUE);
        }
      }
      const rows = best(touched, scores, depth);
      for (const row of touched) scores[row] = 0;
      return rows;
    },
  };
}

/** The `depth` best, by insertion: most rows fall at the first comparison. */
function best(touched: readonly number[], scores: Float64Array, depth: number): Row[] {
  const top: Row[] = [];
  for (const rowid of touched) {
    const row = { rowid, score: scores[rowid] ?? 0 };
    const last = top[depth - 1];
    if (last !== undefined && !before(row, last)) continue;
    let place = top.length;
    for (let above = top[place - 1]; above !== undefined && before(row, above); above = top[place - 1]) place--;
    top.splice(place, 0, row);
    if (top.length > depth) top.pop();
  }
  return top;
}

const before = (a: Row, b: Row): boolean => a.score > b.score || (a.score === b.score && a.rowid < b.rowid);

function load(db: DatabaseSync, documents: number): { postings: Postings; lengths: Float64Array } {
  const postings = new Map<string, number[]>();
  const lengths = new Float64Array(documents + 1);
  let current: { term: string; list: number[] } = { term: '', list: [] };
  const rows = db.prepare('SELECT term, doc, col FROM occurrences').iterate() as Iterable<unknown>;
  for (const { term, doc, col } of rows as Iterable<{ term: string; doc: number; col: string }>) {
    if (term !== current.term) {
      current = { term, list: [] };
      postings.set(term, current.list);
    }
    const { list } = current;
    if (list.at(-3) !== doc) list.push(doc, 0, 0);
    const place = col === 'title' ? list.length - 2 : list.length - 1;
    list[place] = (list[place] ?? 0) + 1;
    lengths[doc] = (lengths[doc] ?? 0) + 1;
  }
  return { postings, lengths };
}
