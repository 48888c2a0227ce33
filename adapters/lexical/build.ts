/**
 * Builds index files.
 *
 * 1. A file under its final name is whole: it is built under a temporary name, flushed to the disk and renamed.
 * 2. Whoever builds the same key builds the same index, so two builders at once do no harm: the last rename wins.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Tokenising, tokens } from '../../domain/tokens.ts';
import { characteristic } from './characteristic.ts';
import type { CorpusDocument } from './document.ts';
import { indexKey, recipeOf } from './recipe.ts';

// The tokens are made by domain/tokens; FTS5 only has to keep them apart as they are.
const SCHEMA = `
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE documents (rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL, words TEXT NOT NULL);
  CREATE VIRTUAL TABLE tokens USING fts5(title, body, content = '', tokenize = 'unicode61 remove_diacritics 0');
  CREATE VIRTUAL TABLE frequencies USING fts5vocab(tokens, row);
  CREATE VIRTUAL TABLE occurrences USING fts5vocab(tokens, instance);
`;

export interface IndexSource {
  readonly corpusSha256: string;
  readonly documents: () => readonly CorpusDocument[];
}

export const indexPath = (folder: string, corpusSha256: string, how: Tokenising): string =>
  join(folder, `${indexKey(corpusSha256, recipeOf(how))}.db`);

/** The path of the index over these documents; builds it first where it is missing. What is used is young again. */
export function ensureIndex(folder: string, source: IndexSource, how: Tokenising, tick = () => {}): string {
  const path = indexPath(folder, source.corpusSha256, how);
  if (!existsSync(path) || !renew(path)) buildIndex(path, source, how, tick);
  return path;
}

/** Whoever clears out old indexes leaves a young one alone (adapters/keeping); false when it was just removed. */
function renew(path: string): boolean {
  try {
    const now = new Date();
    utimesSync(path, now, now);
    return true;
  } catch {
    return false;
  }
}

export function buildIndex(path: string, source: IndexSource, how: Tokenising, tick = () => {}): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const building = `${path}.${randomUUID()}.tmp`;
  try {
    fill(building, source, how, tick);
    flush(building);
    renameSync(building, path);
    flush(join(path, '..'));
  } finally {
    rmSync(building, { force: true });
  }
}

function fill(path: string, source: IndexSource, how: Tokenising, tick: () => void): void {
  const documents = source.documents();
  const tokenised = documents.map((doc) => {
    tick();
    return { title: tokens(doc.title, how), body: tokens(doc.text, how) };
  });
  const frequencies = documentFrequencies(tokenised);
  const statistics = { documents: documents.length, frequency: (token: string) => frequencies.get(token) ?? 0 };
  const db = new DatabaseSync(path);
  try {
    db.exec(SCHEMA);
    db.exec('BEGIN');
    const addDocument = db.prepare('INSERT INTO documents (rowid, id, title, text, words) VALUES (?, ?, ?, ?, ?)');
    const addTokens = db.prepare('INSERT INTO tokens (rowid, title, body) VALUES (?, ?, ?)');
    documents.forEach((doc, at) => {
      tick();
      const { title, body } = tokenised[at] ?? { title: [], body: [] };
      const words = characteristic([...title, ...body], statistics);
      addDocument.run(at + 1, doc.id, doc.title, doc.text, words.join(' '));
      addTokens.run(at + 1, title.join(' '), body.join(' '));
    });
    const addMeta = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
    addMeta.run('tokenising', JSON.stringify(how));
    addMeta.run('corpus', source.corpusSha256);
    addMeta.run('documents', String(documents.length));
    db.exec('COMMIT');
    db.exec("INSERT INTO tokens(tokens) VALUES ('optimize')");
  } finally {
    db.close();
  }
}

function documentFrequencies(documents: ReadonlyArray<{ title: string[]; body: string[] }>): Map<string, number> {
  const frequency = new Map<string, number>();
  for (const { title, body } of documents) {
    for (const token of new Set([...title, ...body])) frequency.set(token, (frequency.get(token) ?? 0) + 1);
  }
  return frequency;
}

function flush(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
