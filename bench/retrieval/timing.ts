/** What a question costs an index of so many parts, and what the index costs. Encoding is no part of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import { embeddedIndexes } from '../../adapters/retrieval/embedded.ts';
import type { ChunkIndex, IndexedDocument } from '../../adapters/retrieval/port.ts';
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import { median, percentile } from '../../domain/percentile.ts';
import { tokens } from '../../domain/tokens.ts';
import { atLeast, atMost, explaining, type Figure } from '../benchmark.ts';
import type { MadeCorpus } from './made-corpus.ts';

const AT_ONCE = 1_000;
const ROUNDS = 8;
const QUESTIONS = 50;
const RECALLED = 100;
const LIMIT = 50;
const HOW = { stemming: false, splitIdentifiers: false };

export interface Sizes {
  readonly chunks: number;
  /** Which of the targets belong to this size. */
  readonly targets: { readonly p50?: number; readonly hybrid?: number };
}

type Kind = 'dense' | 'lexical' | 'hybrid' | 'raw FTS5';

export async function timing(
  made: MadeCorpus,
  { chunks, targets }: Sizes,
  progress: (line: string) => void,
): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-retrieval-'));
  const before = process.memoryUsage.rss();
  const recipe = { service: 'bench', digest: 'ab', tokenising: HOW, dimensions: made.question(0).vector.length };
  const index = await embeddedIndexes(folder).open(recipe);
  const raw = rawIndex(join(folder, 'raw.db'));
  try {
    let indexing = 0;
    for (let from = 0; from < chunks; from += AT_ONCE) {
      const documents = Array.from({ length: Math.min(AT_ONCE, chunks - from) }, (_, n) => made.document(from + n));
      const began = performance.now();
      await index.apply({ cursor: from + documents.length, documents });
      indexing += performance.now() - began;
      raw.add(from, documents);
      if ((from / AT_ONCE) % 10 === 9) progress(`${from + documents.length} of ${chunks} parts indexed`);
    }
    const grown = process.memoryUsage.rss() - before;

    progress(`asking ${chunks} parts`);
    const times: Record<Kind, number[]> = { dense: [], lexical: [], hybrid: [], 'raw FTS5': [] };
    const medians: Record<Kind, number[]> = { dense: [], lexical: [], hybrid: [], 'raw FTS5': [] };
    const kinds: readonly Kind[] = ['dense', 'lexical', 'hybrid', 'raw FTS5'];
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [turn] of kinds.entries()) {
        // Whoever begins changes, so that nobody always runs after the same one.
        const kind = kinds[(turn + round) % kinds.length] as Kind;
        const took: number[] = [];
        for (let n = 0; n < QUESTIONS; n++) {
          const question = made.question(round * QUESTIONS + n);
          const began = performance.now();
          if (kind === 'raw FTS5') raw.ask(question.query);
          else await ask(index, question, kind);
          took.push(performance.now() - began);
        }
        // The first round warms up.
        if (round === 0) continue;
        times[kind].push(...took);
        medians[kind].push(median(took));
      }
    }
    const recall = await recallOf(index, made, chunks);
    const ratio = (of: (round: number) => number): number[] => Array.from({ length: ROUNDS }, (_, round) => of(round));
    const at = (kind: Kind, round: number): number => medians[kind][round] ?? Number.NaN;
    const hybrid = ratio((round) => at('hybrid', round) / Math.max(at('dense', round), at('lexical', round)));
    const words = ratio((round) => at('lexical', round) / at('raw FTS5', round));
    const n = ROUNDS * QUESTIONS;
    const name = (what: string) => `${chunks} parts: ${what}`;
    const p50 = explaining(name('both legs, p50'), percentile(times.hybrid, 0.5), 'ms', n);
    const slower = explaining(name('both legs / slower leg'), median(hybrid), '×', ROUNDS);
    return [
      targets.p50 === undefined ? p50 : atMost(targets.p50, p50),
      explaining(name('both legs, p95'), percentile(times.hybrid, 0.95), 'ms', n),
      explaining(name('both legs, p99'), percentile(times.hybrid, 0.99), 'ms', n),
      ...(['dense', 'lexical', 'raw FTS5'] as const).flatMap((kind) =>
        [0.5, 0.95, 0.99].map((q) => explaining(name(`${kind}, p${q * 100}`), percentile(times[kind], q), 'ms', n)),
      ),
      targets.hybrid === undefined ? slower : atMost(targets.hybrid, slower),
      ...spread(hybrid),
      atMost(1.1, explaining(name('by words / raw FTS5'), median(words), '×', ROUNDS)),
      ...spread(words),
      atMost(10, explaining(name('indexing 100 documents'), (100 * indexing) / chunks, 'ms', chunks)),
      atMost(50, explaining(name('memory of 1,000 documents'), (1_000 * grown) / chunks / 2 ** 20, 'MB', 1)),
      atLeast(0.95, explaining(name('recall@10 of the search by meaning'), recall, '', RECALLED)),
    ];
  } finally {
    raw.close();
    await index.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const spread = (of: readonly number[]): Figure[] => [
  explaining('  lowest round', percentile(of, 0), '×', of.length),
  explaining('  highest round', percentile(of, 1), '×', of.length),
];

const ask = (index: ChunkIndex, { query, vector }: ReturnType<MadeCorpus['question']>, kind: Kind) =>
  index.search({
    ...{ tenant: DEFAULT_TENANT, filter: {}, limit: LIMIT },
    dense: kind === 'lexical' ? null : { vector },
    lexical: kind === 'dense' ? null : { query, settings: DEFAULT_SETTINGS },
  });

/** Against every vector, one after another. */
const recallOf = async (index: ChunkIndex, made: MadeCorpus, chunks: number): Promise<number> => {
  const questions = Array.from({ length: RECALLED }, (_, n) => made.question(1_000_000 + n));
  const best = questions.map((): Array<{ id: string; score: number }> => []);
  for (let at = 0; at < chunks; at++) {
    const { id, chunks: parts } = made.document(at);
    const vector = parts[0]?.vector as Float32Array;
    for (const [n, question] of questions.entries()) {
      const score = vector.reduce((sum, x, i) => sum + x * (question.vector[i] as number), 0);
      const own = best[n] as Array<{ id: string; score: number }>;
      if (own.length < 10 || score > (own[9]?.score ?? 0)) {
        own.push({ id, score });
        own.sort((a, b) => b.score - a.score);
        own.length = Math.min(10, own.length);
      }
    }
  }
  let found = 0;
  for (const [n, question] of questions.entries()) {
    const { dense } = await index.search({
      ...{ tenant: DEFAULT_TENANT, filter: {}, limit: 10, dense: { vector: question.vector }, lexical: null },
    });
    const ids = new Set(dense.map(({ document }) => document));
    found += (best[n] ?? []).filter(({ id }) => ids.has(id)).length;
  }
  return found / (10 * RECALLED);
};

/** FTS5 as it comes, in this thread: the same tokens, the same question. */
const rawIndex = (path: string) => {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE VIRTUAL TABLE texts USING fts5(title, body, content = '', tokenize = 'unicode61 remove_diacritics 0')`);
  const insert = db.prepare('INSERT INTO texts (rowid, title, body) VALUES (?, ?, ?)');
  const best = db.prepare(
    'SELECT rowid, -bm25(texts) AS score FROM texts WHERE texts MATCH ? ORDER BY score DESC LIMIT ?',
  );
  return {
    add: (from: number, documents: readonly IndexedDocument[]) => {
      db.exec('BEGIN');
      for (const [n, { title, chunks }] of documents.entries())
        insert.run(from + n + 1, tokens(title, HOW).join(' '), tokens(chunks[0]?.text ?? '', HOW).join(' '));
      db.exec('COMMIT');
    },
    ask: (query: string) => best.all([...new Set(tokens(query, HOW))].map((token) => `"${token}"`).join(' OR '), LIMIT),
    close: () => db.close(),
  };
};
