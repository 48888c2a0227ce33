import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { ensureIndex, indexPath } from '../../adapters/lexical/build.ts';
import type { CorpusDocument } from '../../adapters/lexical/document.ts';
import { type LexicalIndex, openIndex } from '../../adapters/lexical/index-file.ts';
import { DEFAULT_SETTINGS, loadVariant, saveVariant } from '../../adapters/lexical/variant.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import { seeded } from '../../domain/random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DOCUMENTS: readonly CorpusDocument[] = [
  { id: 'read', title: 'readFile', text: 'Reads a whole file from the disk into memory.' },
  { id: 'write', title: 'writeFile', text: 'Writes a file to the disk.' },
  { id: 'watch', title: 'watch', text: 'Watches a folder for changes.' },
  { id: 'exit', title: 'exit', text: 'Ends the process with a code.' },
  { id: 'cafe', title: 'Café', text: 'A place for coffee, "quotes" and NEAR misses.' },
  { id: 'kill', title: 'kill', text: 'Sends a signal to the process.' },
];

const indexOf = (changes: Partial<SearchSettings> = {}, documents = DOCUMENTS, memory = false): Searchable => {
  const settings = { ...DEFAULT_SETTINGS, ...changes };
  const corpusSha256 = createHash('sha256').update(JSON.stringify(documents)).digest('hex');
  const index = openIndex(ensureIndex(temporaryFolder(), { corpusSha256, documents: () => documents }, settings), {
    memory,
  });
  onTestFinished(() => index.close());
  return { ...index, ids: (query, k = 10) => index.search(settings, query, k).map(({ id }) => id), settings };
};
type Searchable = LexicalIndex & { ids(query: string, k?: number): string[]; readonly settings: SearchSettings };

test('finds documents by their words, best first', () => {
  const index = indexOf();
  expect(index.ids('disk file whole')).toEqual(['read', 'write']);
  expect(index.ids('process', 1)).toHaveLength(1);
  expect(index.document('read')).toEqual(DOCUMENTS[0]);
});

test.each([
  ['stemming finds another form of the word', { stemming: true }, 'changing', ['watch']],
  ['without stemming it is not found', {}, 'changing', []],
  ['an identifier is found by its parts', { splitIdentifiers: true, weights: { title: 1, body: 0 } }, 'read', ['read']],
  ['without splitting only as a whole', {}, 'readfile', ['read']],
  ['accents do not matter', {}, 'CAFE', ['cafe']],
  ['a synonym is searched beside the word', { synonyms: { directory: ['folder'] } }, 'directory', ['watch']],
  [
    'a stemmed synonym is found by another form',
    { stemming: true, synonyms: { directory: ['folder'] } },
    'directories',
    ['watch'],
  ],
] as const)('%s', (_, changes, query, expected) => {
  expect(indexOf(changes).ids(query)).toEqual(expected);
});

test('weights decide which field counts', () => {
  const documents = [
    { id: 'in title', title: 'lamp', text: 'a thing of glass' },
    { id: 'in text', title: 'thing', text: 'a lamp, a lamp, a lamp' },
    { id: 'other 1', title: 'x', text: 'y' },
    { id: 'other 2', title: 'x', text: 'y' },
    { id: 'other 3', title: 'x', text: 'y' },
  ];
  expect(indexOf({ weights: { title: 9, body: 1 } }, documents).ids('lamp')[0]).toBe('in title');
  expect(indexOf({ weights: { title: 0, body: 1 } }, documents).ids('lamp')[0]).toBe('in text');
});

test('expansion finds a document that shares no word with the query', () => {
  const documents = ['a', 'b', 'c'].flatMap((id) => [{ id, title: '', text: `term${id} zebra stripes` }]);
  const more = { id: 'far', title: '', text: 'zebra stripes only' };
  const others = Array.from({ length: 20 }, (_, n) => ({ id: `o${n}`, title: '', text: `other words ${n}` }));
  const all = [...documents, more, ...others];
  expect(indexOf({}, all).ids('terma termb')).not.toContain('far');
  expect(indexOf({ expansion: { documents: 2, words: 4 } }, all).ids('terma termb')).toContain('far');
});

describe('abuse case 36: full-text query injection', () => {
  const HOSTILE = [
    '"',
    '""',
    'disk" OR "process',
    'title:readFile',
    'NEAR(disk file, 2)',
    'NOT disk',
    'disk AND NOT file',
    '^disk',
    'disk*',
    "'; DROP TABLE documents; --",
    '{title body}: disk',
    '(((((',
    '\u0000disk',
    '%_\\',
    '-disk +file',
    'constructor __proto__ toString',
  ];
  test.each(HOSTILE)('%j is searched as words', (query) => {
    const index = indexOf();
    const plain = query.replace(/[^\p{L}\p{N}]+/gu, ' ');
    expect(index.ids(query)).toEqual(index.ids(plain));
    expect(index.ids('disk')).toHaveLength(2);
  });

  test('no text at all makes the search fail, and each word stays a word', () => {
    for (const memory of [false, true]) {
      const index = indexOf({ stemming: true, synonyms: { disk: ['drive" OR "x'] } }, DOCUMENTS, memory);
      const hostile = fc.array(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...HOSTILE, 'disk', 'OR', 'AND')),
      );
      fc.assert(
        fc.property(hostile, (parts) => {
          for (const { score } of index.search(index.settings, parts.join(' '), 5)) expect(score).toBeGreaterThan(0);
        }),
        { numRuns: 500 },
      );
    }
  });

  test('an operator does not widen the answer', () => {
    expect(indexOf().ids('folder NOT folder')).toEqual(['watch']);
    expect(indexOf().ids('folder" OR body:"signal')).toEqual(indexOf().ids('folder or body signal'));
  });
});

test.each(['', '   ', '?!', '"', '…', '🙂'])('the query %j without a word gives an empty answer', (query) => {
  expect(indexOf({ expansion: { documents: 3, words: 5 } }).ids(query)).toEqual([]);
});

test('an empty corpus gives empty answers', () => {
  expect(indexOf({}, []).ids('disk')).toEqual([]);
  expect(indexOf({}, [], true).ids('disk')).toEqual([]);
});

test('a query of a megabyte asks no more than its first words do', () => {
  expect(indexOf().ids(`disk ${'x y z '.repeat(200_000)}`)).toEqual(indexOf().ids('disk'));
});

test('the ranking in memory is the ranking of FTS5', () => {
  const random = seeded(11);
  const vocabulary = Array.from({ length: 60 }, (_, n) => `word${n}`);
  const some = (n: number) =>
    Array.from({ length: n }, () => vocabulary[Math.floor(random() ** 2 * 60)] ?? '').join(' ');
  const documents = Array.from({ length: 300 }, (_, n) => ({ id: `d${n}`, title: some(2), text: some(3 + (n % 17)) }));
  const settings = {
    synonyms: { word3: ['word40'] },
    expansion: { documents: 3, words: 4 },
    weights: { title: 3, body: 1 },
  };
  const fts = indexOf(settings, documents);
  const memory = indexOf(settings, documents, true);
  for (let round = 0; round < 100; round++) {
    const query = some(1 + (round % 6));
    const expected = fts.search(fts.settings, query, 10);
    const found = memory.search(memory.settings, query, 10);
    expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    for (const [at, hit] of found.entries()) expect(hit.score).toBeCloseTo(expected[at]?.score ?? Number.NaN, 8);
  }
});

describe('an index file', () => {
  const source = { corpusSha256: 'c'.repeat(64), documents: () => DOCUMENTS };

  test('is built once for a corpus and a recipe, and again for another of either', () => {
    const folder = temporaryFolder();
    const first = ensureIndex(folder, source, DEFAULT_SETTINGS);
    const never = { ...source, documents: () => expect.fail('the index is there already') };
    expect(ensureIndex(folder, never, { ...DEFAULT_SETTINGS, weights: { title: 9, body: 1 } } as SearchSettings)).toBe(
      first,
    );
    expect(ensureIndex(folder, source, { ...DEFAULT_SETTINGS, stemming: true })).not.toBe(first);
    expect(ensureIndex(folder, { ...source, corpusSha256: 'd'.repeat(64) }, DEFAULT_SETTINGS)).not.toBe(first);
  });

  test('appears whole or not at all', () => {
    const folder = temporaryFolder();
    const broken = { ...source, documents: () => [...DOCUMENTS, ...DOCUMENTS] };
    expect(() => ensureIndex(folder, broken, DEFAULT_SETTINGS)).toThrow(/UNIQUE/);
    expect(existsSync(indexPath(folder, source.corpusSha256, DEFAULT_SETTINGS))).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a variant', () => {
  const artifacts = () => folderArtifacts(join(temporaryFolder(), 'artifacts'));

  test('is named by its settings: the same ones give the same id', async () => {
    const store = artifacts();
    const { id, artifact } = await saveVariant(store, 'docs', DEFAULT_SETTINGS);
    expect((await saveVariant(store, 'docs', { ...DEFAULT_SETTINGS })).id).toBe(id);
    expect((await saveVariant(store, 'docs', { ...DEFAULT_SETTINGS, stemming: true })).id).not.toBe(id);
    expect((await loadVariant(store, { id, artifact })).settings).toEqual(DEFAULT_SETTINGS);
  });

  test('that points to other content is refused', async () => {
    const store = artifacts();
    const [one, two] = [
      await saveVariant(store, 'a', DEFAULT_SETTINGS),
      await saveVariant(store, 'b', DEFAULT_SETTINGS),
    ];
    await expect(loadVariant(store, { id: one.id, artifact: two.artifact })).rejects.toMatchObject({
      type: 'DigestMismatch',
    });
  });

  test.each([
    ['of another kind', { kind: 'neural' }, 'ConfigInvalid'],
    ['of another recipe', { recipe: 'older' }, 'Refused'],
    ['with a weight that is no weight', { settings: { ...DEFAULT_SETTINGS, stopShare: -1 } }, 'ConfigInvalid'],
  ])('%s is refused', async (_, changes, type) => {
    const store = artifacts();
    const { artifact } = await saveVariant(store, 'docs', DEFAULT_SETTINGS);
    const odd = await store.putJson({ ...((await store.getJson(artifact)) as object), ...changes });
    await expect(loadVariant(store, { id: odd.sha256, artifact: odd })).rejects.toMatchObject({ type });
  });
});
