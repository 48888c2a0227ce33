import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import { embeddedIndexes } from '../../adapters/retrieval/embedded.ts';
import type { ChunkIndex } from '../../adapters/retrieval/port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeChunkIndex } from './chunk-index.ts';
import { documentOf, found, question, recipe } from './chunk-index-scene.ts';

describeChunkIndex('embedded', async () => embeddedIndexes(temporaryFolder()));

const folderOf = (folder: string): string => join(folder, 'docs', recipe().digest);
const opened = async (folder: string, options: { graphFrom?: number } = {}): Promise<ChunkIndex> => {
  const index = await embeddedIndexes(folder, options).open(recipe());
  onTestFinished(() => index.close());
  return index;
};
const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => documentOf(`d${from + n}`, `Ship number${from + n} in the harbour`));

test('a process that is killed while it applies leaves whole changes, and the next one goes on', async () => {
  const folder = temporaryFolder();
  const program = join(import.meta.dirname, 'chunk-index-writer.ts');
  for (const acknowledged of [1, 3, 6]) {
    const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(child, 'exit');
    let told = 0;
    for await (const _ of createInterface({ input: child.stdout })) {
      if (++told === acknowledged) child.kill('SIGKILL');
    }
    expect(await gone).toEqual([null, 'SIGKILL']);
    expect(told).toBeGreaterThanOrEqual(acknowledged);

    const index = await embeddedIndexes(folder).open(recipe());
    const cursor = await index.cursor();
    expect(cursor).toBeGreaterThanOrEqual(told);
    // Every change replaces the same 50 documents, with two chunks each, by its own.
    expect(await index.counts()).toEqual({ documents: 50, chunks: 100 });
    const { dense, lexical } = await index.search(question(`version${cursor}`, { limit: 1_000 }));
    expect(new Set(dense.map(({ key }) => key))).toEqual(new Set(lexical.map(({ key }) => key)));
    expect(lexical).toHaveLength(100);
    await index.close();
    expect(checkOf(folder)).toBe('ok');
  }
});

const checkOf = (folder: string): unknown => {
  const db = new DatabaseSync(join(folderOf(folder), 'chunks.db'), { readOnly: true });
  const [row] = db.prepare('PRAGMA integrity_check').all();
  db.close();
  return row?.integrity_check;
};

test('a graph is made in the background, is kept, and serves when the index is opened again', async () => {
  const folder = temporaryFolder();
  const index = await opened(folder, { graphFrom: 300 });
  await index.apply({ cursor: 1, documents: many(600) });
  const path = join(folderOf(folder), 'tenant-1.graph');
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), { timeout: 30_000 });
  const before = await index.search(question('Ship number77 in the harbour'));
  expect(before.dense[0]?.document).toBe('d77');
  await index.close();
  expect(readdirSync(folderOf(folder)).toSorted()).toEqual(['chunks.db', 'tenant-1.graph']);
  const again = await opened(folder, { graphFrom: 300 });
  expect(await again.search(question('Ship number77 in the harbour'))).toEqual(before);
});

test.each([
  ['is damaged', (bytes: Buffer) => bytes.fill(0xff, 2_000, 3_000)],
  ['is empty', () => Buffer.alloc(0)],
])('an index whose graph file %s answers as before and makes a new one', async (_, damage) => {
  const folder = temporaryFolder();
  const path = join(folderOf(folder), 'tenant-1.graph');
  const first = await opened(folder, { graphFrom: 300 });
  await first.apply({ cursor: 1, documents: many(600) });
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), { timeout: 30_000 });
  const before = await first.search(question('Ship number77 in the harbour', { limit: 3 }));
  await first.close();
  const whole = readFileSync(path);
  writeFileSync(path, damage(Buffer.from(whole)));
  const again = await opened(folder, { graphFrom: 300 });
  expect(await again.search(question('Ship number77 in the harbour', { limit: 3 }))).toEqual(before);
  await vi.waitFor(() => expect(readFileSync(path).equals(whole)).toBe(true), { timeout: 30_000 });
});

test('an index that was changed often ranks by words as one that was made anew', async () => {
  const texts = (round: number) =>
    Array.from(
      { length: 80 },
      (_, n) => `word${(n * round) % 7} word${(n + round) % 11} also${n % 3} | word${n % 5} end`,
    );
  const changed = await opened(temporaryFolder());
  for (let round = 1; round <= 6; round++) {
    const documents = texts(round).map((text, n) => documentOf(`d${n}`, n % 9 === round ? '' : text));
    await changed.apply({
      cursor: round,
      documents: [...documents, documentOf('other', 'word1 word2', { tenant: 'else' })],
    });
  }
  const fresh = await opened(temporaryFolder());
  const documents = texts(6).map((text, n) => documentOf(`d${n}`, n % 9 === 6 ? '' : text));
  await fresh.apply({ cursor: 6, documents });
  const expansion = { documents: 3, words: 3 };
  for (const query of ['word1 word4', 'also2 end', 'word9']) {
    for (const settings of [DEFAULT_SETTINGS, { ...DEFAULT_SETTINGS, expansion }]) {
      const asked = question(query, { dense: null, limit: 40, lexical: { query, settings } });
      const scored = async (index: ChunkIndex) =>
        (await index.search(asked)).lexical.map(({ document, score }) => ({ document, score }));
      expect(await scored(changed)).toEqual(await scored(fresh));
      expect(await scored(fresh)).not.toHaveLength(0);
    }
  }
});

test('how frequent a word is follows what changes', async () => {
  const index = await opened(temporaryFolder());
  const settings = { ...DEFAULT_SETTINGS, stopShare: 0.3 };
  const query = 'anchor number3';
  const asked = question(query, { dense: null, lexical: { query, settings } });
  const documents = (anchored: number) =>
    Array.from({ length: 10 }, (_, n) => documentOf(`d${n}`, `Ship number${n} ${n < anchored ? 'anchor' : 'sail'}`));
  await index.apply({ cursor: 1, documents: documents(1) });
  expect((await found(index, asked)).lexical.toSorted()).toEqual(['d0', 'd3']);
  await index.apply({ cursor: 2, documents: documents(8) });
  expect((await found(index, asked)).lexical).toEqual(['d3']);
});

test('who kept no count of what is gone for too long reads everything anew', async () => {
  const folder = temporaryFolder();
  const index = await opened(folder);
  await index.apply({ cursor: 1, documents: many(20) });
  await index.apply({ cursor: 2, documents: many(5).map((one) => ({ ...one, chunks: [] })) });
  expect((await index.search(question('Ship', { limit: 50 }))).dense).toHaveLength(15);
  const db = new DatabaseSync(join(folderOf(folder), 'chunks.db'));
  const other = await opened(folder);
  // As if so much had gone meanwhile that the log of it begins later than this index looked last.
  await other.apply({ cursor: 3, documents: many(6, 5).map((one) => ({ ...one, chunks: [] })) });
  db.exec('BEGIN; DELETE FROM gone WHERE seq < 12; INSERT INTO gone (tenant, key) VALUES (1, 999); COMMIT');
  db.exec('UPDATE state SET version = version + 1');
  db.close();
  expect((await index.search(question('Ship', { limit: 50 }))).dense).toHaveLength(9);
});

test('of equal scores the older come first, also where only some of them fit', async () => {
  const index = await opened(temporaryFolder());
  const documents = Array.from({ length: 30 }, (_, n) => documentOf(`d${n}`, 'Exactly the same', { title: '' }));
  await index.apply({ cursor: 1, documents });
  for (const limit of [30, 7]) {
    const expected = documents.slice(0, limit).map(({ id }) => id);
    expect(await found(index, question('Exactly the same', { limit }))).toEqual({ dense: expected, lexical: expected });
  }
});

test('an index that another recipe made under the same digest is refused, and says what to do', async () => {
  const folder = temporaryFolder();
  await (await embeddedIndexes(folder).open(recipe())).close();
  await expect(embeddedIndexes(folder).open(recipe({ dimensions: 16 }))).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('[false,false,8], not [false,false,16]'),
    hint: expect.stringContaining('remove the index'),
  });
});

test('a name that would leave the folder is refused', async () => {
  const indexes = embeddedIndexes(temporaryFolder());
  await expect(indexes.open(recipe({ service: '../up' }))).rejects.toMatchObject({ type: 'Usage' });
  await expect(indexes.open(recipe({ digest: '../../up' }))).rejects.toMatchObject({ type: 'Usage' });
  await expect(indexes.remove('docs', '..')).rejects.toMatchObject({ type: 'Usage' });
  expect(await found(await indexes.open(recipe()), question('x'))).toEqual({ dense: [], lexical: [] });
});

test('an index whose file is damaged begins anew, and takes up everything again', async () => {
  const folder = temporaryFolder();
  const index = await opened(folder);
  await index.apply({ cursor: 7, documents: many(3) });
  await index.close();
  writeFileSync(join(folderOf(folder), 'chunks.db'), 'no database at all '.repeat(500));
  const again = await opened(folder);
  expect(await again.cursor()).toBe(0);
  await again.apply({ cursor: 7, documents: many(3) });
  expect((await found(again, question('Ship'))).lexical).toHaveLength(3);
});
