import { describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import { embeddedIndexes } from '../../adapters/retrieval/embedded.ts';
import type { ChunkIndex, IndexedDocument } from '../../adapters/retrieval/port.ts';
import { documentOf, found, question, recipe, vectorOf } from '../contract/chunk-index-scene.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const opened = async (): Promise<ChunkIndex> => {
  const index = await embeddedIndexes(temporaryFolder()).open(recipe());
  onTestFinished(() => index.close());
  await index.apply({
    cursor: 1,
    documents: [
      documentOf('disk', 'Writes a file to the disk'),
      documentOf('process', 'Ends the process'),
      documentOf('secret', 'The secret disk of another', { tenant: 'acme' }),
      ...['one', 'two', 'three'].map((id) => documentOf(id, `Something else ${id}`)),
    ],
  });
  return index;
};

describe('abuse 36: a full-text query is words and nothing else', () => {
  const HOSTILE = [
    '"',
    'disk" OR "process',
    'title:disk',
    'body:disk',
    '{title body}: disk',
    'NEAR(disk file, 2)',
    'disk NOT file',
    'disk AND process',
    '^disk',
    'disk*',
    'di*',
    '-disk +file',
    "disk'); DROP TABLE chunks; --",
    "disk' UNION SELECT name FROM tenants --",
    'disk\u0000process',
    '(((((disk',
    'tokens_1 MATCH disk',
    'constructor __proto__ toString disk',
  ];
  test.each(HOSTILE)('%j', async (query) => {
    const index = await opened();
    const plain = query.replace(/[^\p{L}\p{N}]+/gu, ' ');
    const asked = (text: string) => found(index, question(text, { dense: null }));
    expect(await asked(query)).toEqual(await asked(plain));
    expect((await asked(query)).lexical).not.toContain('secret');
    expect((await asked('disk')).lexical).toEqual(['disk']);
    expect(await index.counts()).toMatchObject({ documents: 6 });
  });

  test('neither does one in the name of a tenant, in a filter, in a synonym or in a key', async () => {
    const index = await opened();
    const evil = `default' OR '1'='1" OR "x`;
    expect(await found(index, question('disk', { tenant: evil }))).toEqual({ dense: [], lexical: [] });
    expect(await found(index, question('disk', { filter: { [evil]: evil } }))).toEqual({ dense: [], lexical: [] });
    const settings = { ...DEFAULT_SETTINGS, synonyms: { disk: ['drive" OR body:process NOT "', '^process*'] } };
    expect((await found(index, question('', { dense: null, lexical: { query: 'disk', settings } }))).lexical).toEqual([
      'disk',
      'process',
    ]);
    expect(await index.chunks('default', [evil, '1 OR 1=1', '1e0', '-1', ' 1', '９'])).toEqual([]);
    await index.apply({ cursor: 2, documents: [documentOf(evil, evil, { tenant: evil, metadata: { [evil]: evil } })] });
    expect((await found(index, question('x', { tenant: evil, filter: { [evil]: evil } }))).lexical).toEqual([evil]);
    expect(await index.counts()).toMatchObject({ documents: 7 });
  });
});

describe('abuse 37: a vector that is none is refused, and nothing is changed', () => {
  const put = (vector: Float32Array | null): IndexedDocument => {
    const { chunks, ...document } = documentOf('new', 'Something new');
    return { ...document, chunks: chunks.map((chunk) => ({ ...chunk, vector })) };
  };
  const odd = (value: number) => vectorOf('x').with(3, value);
  const CASES: readonly (readonly [string, Float32Array, string])[] = [
    ['of too few numbers', vectorOf('x', 7), 'expected a vector of 8 numbers, found 7'],
    ['of too many numbers', vectorOf('x', 384), 'expected a vector of 8 numbers, found 384'],
    ['of no numbers', new Float32Array(), 'expected a vector of 8 numbers, found 0'],
    ['of length 0', new Float32Array(8), 'expected a vector of length 1, found one of 0'],
    ['of another length', vectorOf('x').map((number) => number * 3), 'expected a vector of length 1, found one of 3'],
    ['with NaN', odd(Number.NaN), 'found NaN at place 3'],
    ['with Infinity', odd(Number.POSITIVE_INFINITY), 'found Infinity at place 3'],
    ['with -Infinity', odd(Number.NEGATIVE_INFINITY), 'found -Infinity at place 3'],
  ];
  test.each(CASES)('one %s', async (_, vector, message) => {
    const index = await opened();
    const before = await index.search(question('disk'));
    const refusal = { type: 'Usage', message: expect.stringContaining(message), hint: expect.any(String) };
    await expect(index.search(question('disk', { dense: { vector } }))).rejects.toMatchObject(refusal);
    const changes = { cursor: 2, documents: [documentOf('disk', 'Changed'), put(vector)] };
    await expect(index.apply(changes)).rejects.toMatchObject(refusal);
    expect(await index.cursor()).toBe(1);
    expect(await index.search(question('disk'))).toEqual(before);
  });

  test('no vector where there must be one', async () => {
    const index = await opened();
    await expect(index.apply({ cursor: 2, documents: [put(null)] })).rejects.toMatchObject({
      type: 'Usage',
      message: 'Chunk 0 of new: expected a vector of 8 numbers, found none',
    });
  });
});
