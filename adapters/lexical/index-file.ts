import { DatabaseSync } from 'node:sqlite';
import { PawlError } from '../../contracts/failures.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import type { Tokenising } from '../../domain/tokens.ts';
import type { CorpusDocument } from './document.ts';
import { memoryRanker } from './memory-ranker.ts';
import { ftsRanker } from './ranker.ts';
import { bestRows, type Searchable } from './search.ts';

export interface Hit {
  readonly id: string;
  readonly score: number;
}

export interface LexicalIndex {
  readonly documents: number;
  readonly corpusSha256: string;
  /** The best `k` documents, best first. A query without a word that is known gives none. */
  search(settings: SearchSettings, query: string, k: number): Hit[];
  /** In how many documents a token of this index occurs. */
  frequency(token: string): number;
  document(id: string): CorpusDocument | null;
  close(): void;
}

/** `memory` pays for many queries at once with a second to load and the memory for all postings. */
export function openIndex(path: string, options: { readonly memory?: boolean } = {}): LexicalIndex {
  const db = open(path);
  const meta = (key: string): string => String(db.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.value);
  const how = JSON.parse(meta('tokenising')) as Tokenising;
  const documents = Number(meta('documents'));
  const corpusSha256 = meta('corpus');

  const ranker = options.memory ? memoryRanker(db, documents) : ftsRanker(db);
  const frequencyOf = db.prepare('SELECT doc FROM frequencies WHERE term = ?');
  const idOf = db.prepare('SELECT id FROM documents WHERE rowid = ?');
  const wordsRow = db.prepare('SELECT words FROM documents WHERE rowid = ?');
  const documentOf = db.prepare('SELECT id, title, text FROM documents WHERE id = ?');

  const frequencies = new Map<string, number>();
  const frequency = (token: string): number => {
    const known = frequencies.get(token);
    if (known !== undefined) return known;
    const found = Number(frequencyOf.get(token)?.doc ?? 0);
    // Only words of the index are remembered, so that strange queries cannot fill the memory.
    if (found > 0) frequencies.set(token, found);
    return found;
  };

  const wordsOf = (rowid: number): string[] => String(wordsRow.get(rowid)?.words ?? '').split(' ');
  const searchable: Searchable = { documents, frequency, how, wordsOf, rank: ranker.rank };

  return {
    documents,
    corpusSha256,
    frequency,
    search(settings, query, k) {
      const best = bestRows(searchable, settings, query, k);
      return best.map(({ rowid, score }) => ({ id: String(idOf.get(rowid)?.id), score }));
    },
    document(id) {
      const row = documentOf.get(id);
      return row === undefined ? null : { id, title: String(row.title), text: String(row.text) };
    },
    close: () => db.close(),
  };
}

function open(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    db.prepare('SELECT count(*) FROM meta').get();
    return db;
  } catch (cause) {
    throw new PawlError('NotFound', `${path} is no index that can be read.`, {
      hint: 'Delete the file; it is built anew from the corpus.',
      cause,
    });
  }
}
