/** What every ChunkIndex is held to. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChunkIndex, ChunkIndexes } from '../../adapters/retrieval/port.ts';
import type { MetadataFilter } from '../../contracts/retrieval.ts';
import { cosine, documentOf, found, question, recipe, vectorOf } from './chunk-index-scene.ts';

export const describeChunkIndex = (name: string, make: () => Promise<ChunkIndexes>): void => {
  describe(`chunk index: ${name}`, () => {
    let indexes: ChunkIndexes;
    let index: ChunkIndex;
    beforeEach(async () => {
      indexes = await make();
      index = await indexes.open(recipe());
    });
    afterEach(() => index.close());

    const three = [
      documentOf('ships', 'Ships lie anchored in the harbour | A ship sails at noon'),
      documentOf('trains', 'Trains stand in the station'),
      documentOf('birds', 'Birds sit on a wire'),
    ];

    test('a new index is empty, stands at the beginning, and answers that it has nothing', async () => {
      expect(await index.cursor()).toBe(0);
      expect(await index.counts()).toEqual({ documents: 0, chunks: 0 });
      expect(await index.search(question('anything'))).toEqual({ dense: [], lexical: [] });
    });

    test('what was applied is found by its words and by its meaning, the best first', async () => {
      await index.apply({ cursor: 3, documents: three });
      expect(await index.cursor()).toBe(3);
      expect(await index.counts()).toEqual({ documents: 3, chunks: 4 });
      const { dense, lexical } = await index.search(question('Trains stand in the station'));
      expect(dense).toHaveLength(4);
      expect(dense[0]).toMatchObject({ document: 'trains', score: expect.closeTo(1, 5) });
      expect(dense.map(({ score }) => score)).toEqual(dense.map(({ score }) => score).sort((a, b) => b - a));
      expect(lexical[0]?.document).toBe('trains');
      expect(lexical[0]?.key).toBe(dense[0]?.key);
    });

    test('similarity is the cosine', async () => {
      await index.apply({ cursor: 1, documents: three });
      const asked = vectorOf('something else');
      const { dense } = await index.search(question('', { dense: { vector: asked } }));
      const cosines = three.flatMap(({ chunks }) => chunks.map(({ vector }) => cosine(asked, vector ?? asked)));
      cosines.sort((a, b) => b - a);
      expect(dense.map(({ score }) => score)).toEqual(cosines.map((one) => expect.closeTo(one, 5)));
    });

    test('a leg that is not asked finds nothing, and no leg finds more than the limit', async () => {
      await index.apply({ cursor: 1, documents: three });
      expect((await index.search(question('ship', { dense: null }))).dense).toEqual([]);
      expect((await index.search(question('ship', { lexical: null }))).lexical).toEqual([]);
      const { dense, lexical } = await index.search(question('in the harbour station', { limit: 1 }));
      expect([dense, lexical].map(({ length }) => length)).toEqual([1, 1]);
    });

    test('a chunk comes back as it was cut, in the order of the keys, and one that is not there is left out', async () => {
      const metadata = { lang: 'en', year: 2026, draft: false };
      const ships = documentOf('ships', 'First "line" | Zweite Zeile ünïcode 🚢', { metadata });
      await index.apply({ cursor: 1, documents: [ships] });
      const keyOf = async (text: string) => (await index.search(question(text))).dense[0]?.key ?? '';
      const [first, second] = [await keyOf('First "line"'), await keyOf('Zweite Zeile ünïcode 🚢')];
      const one = { key: first, document: 'ships', title: 'Title of ships', index: 0, metadata };
      const chunks = await index.chunks('default', [second, 'no key', first, '999999', "'; DROP TABLE chunks"]);
      for (const { text, vector } of chunks)
        expect(cosine(vector ?? new Float32Array(), vectorOf(text))).toBeCloseTo(1, 5);
      expect(chunks.map(({ vector, ...rest }) => rest)).toEqual([
        { ...one, key: second, index: 1, text: 'Zweite Zeile ünïcode 🚢', start: 15, end: 38, headings: ['Part'] },
        { ...one, text: 'First "line"', start: 0, end: 12, headings: ['Part'] },
      ]);
    });

    test('a document that changed has its new chunks alone, and one without chunks is gone', async () => {
      await index.apply({ cursor: 3, documents: three });
      const [old] = (await index.search(question('Ships lie anchored in the harbour'))).dense;
      const changed = documentOf('ships', 'Boats rest at the quay', { title: 'Boats' });
      await index.apply({ cursor: 5, documents: [changed, { ...documentOf('birds', ''), title: '' }] });
      expect(await index.counts()).toEqual({ documents: 2, chunks: 2 });
      expect((await found(index, question('Ships anchored sails noon birds wire'))).lexical).toEqual([]);
      expect((await found(index, question('Boats rest at the quay'))).dense).toEqual(['ships', 'trains']);
      expect(await index.chunks('default', [old?.key ?? ''])).toEqual([]);
    });

    test('what was applied already changes nothing when it comes again, its keys included', async () => {
      await index.apply({ cursor: 3, documents: three });
      const before = await index.search(question('a ship'));
      await index.apply({ cursor: 3, documents: three });
      await index.apply({ cursor: 2, documents: [documentOf('ships', 'An older text')] });
      expect(await index.search(question('a ship'))).toEqual(before);
      expect(await index.cursor()).toBe(3);
      expect(await index.counts()).toEqual({ documents: 3, chunks: 4 });
    });

    test('changes without documents move the cursor', async () => {
      await index.apply({ cursor: 7, documents: [] });
      expect(await index.cursor()).toBe(7);
    });

    test('of changes with one document that is refused nothing is taken up', async () => {
      await index.apply({ cursor: 1, documents: [documentOf('kept', 'What was there')] });
      const [chunk] = documentOf('bad', 'Bad').chunks;
      const bad = { ...documentOf('bad', 'Bad'), chunks: chunk ? [{ ...chunk, vector: new Float32Array(3) }] : [] };
      const changes = { cursor: 2, documents: [documentOf('kept', 'Something new'), bad] };
      await expect(index.apply(changes)).rejects.toMatchObject({ type: 'Usage' });
      expect(await index.cursor()).toBe(1);
      expect((await found(index, question('What was there'))).lexical).toEqual(['kept']);
    });

    test('of one document twice in the same changes the last counts', async () => {
      await index.apply({ cursor: 2, documents: [documentOf('a', 'First words'), documentOf('a', 'Last words')] });
      expect(await index.counts()).toEqual({ documents: 1, chunks: 1 });
      expect((await found(index, question('First'))).lexical).toEqual([]);
    });

    test('a tenant finds its own chunks alone, and reads no others, whatever key it names', async () => {
      const text = 'The secret harbour';
      await index.apply({
        cursor: 1,
        documents: [documentOf('a', text, { tenant: 'acme' }), documentOf('a', text, { tenant: 'globex' })],
      });
      const ask = (tenant: string) => index.search(question(text, { tenant }));
      const [acme, globex] = [await ask('acme'), await ask('globex')];
      expect([acme.dense, acme.lexical, globex.dense, globex.lexical].map(({ length }) => length)).toEqual([
        1, 1, 1, 1,
      ]);
      expect(acme.dense[0]?.key).not.toBe(globex.dense[0]?.key);
      expect(await index.chunks('acme', [globex.dense[0]?.key ?? ''])).toEqual([]);
      expect(await ask('nobody')).toEqual({ dense: [], lexical: [] });
      await index.apply({ cursor: 2, documents: [documentOf('a', '', { tenant: 'acme' })] });
      expect(await ask('acme')).toEqual({ dense: [], lexical: [] });
      expect((await ask('globex')).lexical).toHaveLength(1);
    });

    test('a rare tenant gets its hits, however many others have better ones', async () => {
      const many = Array.from({ length: 300 }, (_, n) =>
        documentOf(`many ${n}`, 'The harbour of ships', { tenant: 'big' }),
      );
      const few = Array.from({ length: 3 }, (_, n) => documentOf(`few ${n}`, `Ships number ${n}`, { tenant: 'small' }));
      await index.apply({ cursor: 1, documents: [...many, ...few] });
      const { dense, lexical } = await found(index, question('The harbour of ships', { tenant: 'small', limit: 3 }));
      expect(dense.toSorted()).toEqual(['few 0', 'few 1', 'few 2']);
      expect(lexical.toSorted()).toEqual(['few 0', 'few 1', 'few 2']);
    });

    const FILTERS: readonly (readonly [string, MetadataFilter, readonly string[]])[] = [
      ['a value', { lang: 'en' }, ['a', 'b']],
      ['a value of another type is another value', { year: '2025' }, ['d']],
      ['a number', { year: 2025 }, ['a']],
      ['true and no 1', { draft: true }, ['b']],
      ['one of several', { lang: { in: ['de', 'fr'] } }, ['c', 'd']],
      ['one of several numbers', { year: { in: [2024, 2026] } }, ['b', 'c']],
      ['a range with both its ends', { year: { from: 2024, to: 2025 } }, ['a', 'c']],
      ['a range that is open', { year: { from: 2025 } }, ['a', 'b']],
      ['several conditions, all of which hold', { lang: 'en', year: { to: 2025 } }, ['a']],
      ['a name that no document has', { colour: 'red' }, []],
      ['a name that every object has', { constructor: 'x' }, []],
      ['a name with syntax in it', { 'a.b["c"] OR 1': 'x' }, ['d']],
    ];
    test.each(FILTERS)('a filter lets pass: %s', async (_, filter, expected) => {
      const text = 'The same words';
      const metadata = {
        a: { lang: 'en', year: 2025 },
        b: { lang: 'en', year: 2026, draft: true },
        c: { lang: 'de', year: 2024, draft: 1 },
        d: { lang: 'fr', year: '2025', 'a.b["c"] OR 1': 'x' },
      };
      const documents = Object.entries(metadata).map(([id, of]) => documentOf(id, text, { metadata: of }));
      await index.apply({ cursor: 1, documents });
      const { dense, lexical } = await found(index, question(text, { filter }));
      expect(dense.toSorted()).toEqual(expected);
      expect(lexical.toSorted()).toEqual(expected);
    });

    test('of the ten nearest among 10,000 chunks at least 95 of 100 are found, and few that pass a filter all of them', async () => {
      const texts = Array.from(
        { length: 10_000 },
        (_, n) => `Ships${n % 3 === 0 ? ' sail' : ''} from harbour${n % 5} number${n}`,
      );
      for (let at = 0; at < texts.length; at += 1_000) {
        const documents = texts
          .slice(at, at + 1_000)
          .map((text, n) => documentOf(`d${at + n}`, text, { metadata: { thousand: at / 1_000, last: n === 999 } }));
        await index.apply({ cursor: at + 1, documents });
      }
      let hits = 0;
      for (let n = 0; n < 20; n++) {
        const asked = question(`question ${n}`, { lexical: null });
        const near = texts
          .map((text, at) => ({ id: `d${at}`, score: cosine(vectorOf(text), asked.dense?.vector ?? vectorOf(text)) }))
          .sort((a, b) => b.score - a.score);
        const truth = new Set(near.slice(0, 10).map(({ id }) => id));
        hits += (await found(index, asked)).dense.filter((id) => truth.has(id)).length;
      }
      expect(hits / 200).toBeGreaterThanOrEqual(0.95);

      // `harbour1` is rarer than `sail`, and none of the ten holds it.
      const asked = question('sail harbour1', { filter: { last: true, thousand: { from: 0 } } });
      const { dense, lexical } = await found(index, asked);
      expect(dense).toHaveLength(10);
      expect(lexical.toSorted()).toEqual(['d3999', 'd6999', 'd9999', 'd999'].toSorted());
    });

    test('a filter follows what changes', async () => {
      const asked = question('The words', { filter: { state: 'open' } });
      const state = (value: string) => [documentOf('a', 'The words', { metadata: { state: value } })];
      await index.apply({ cursor: 1, documents: [...state('open'), documentOf('b', 'The words')] });
      expect(await found(index, asked)).toEqual({ dense: ['a'], lexical: ['a'] });
      await index.apply({ cursor: 2, documents: state('closed') });
      expect(await found(index, asked)).toEqual({ dense: [], lexical: [] });
      await index.apply({ cursor: 3, documents: state('open') });
      expect(await found(index, asked)).toEqual({ dense: ['a'], lexical: ['a'] });
    });

    test('equal scores come in an order that stays, also when the index is opened again', async () => {
      const documents = Array.from({ length: 40 }, (_, n) => documentOf(`d${n}`, 'Exactly the same'));
      await index.apply({ cursor: 1, documents: documents.map((one) => ({ ...one, title: 'Same' })) });
      const asked = question('Exactly the same', { limit: 15 });
      const first = await index.search(asked);
      expect(first.dense).toHaveLength(15);
      expect(await index.search(asked)).toEqual(first);
      await index.close();
      index = await indexes.open(recipe());
      expect(await index.search(asked)).toEqual(first);
    });

    test('what was applied is there when the index is opened again', async () => {
      await index.apply({ cursor: 3, documents: three });
      await index.apply({ cursor: 4, documents: [documentOf('birds', '')] });
      const before = await index.search(question('in the harbour'));
      await index.close();
      index = await indexes.open(recipe());
      expect(await index.cursor()).toBe(4);
      expect(await index.counts()).toEqual({ documents: 2, chunks: 3 });
      expect(await index.search(question('in the harbour'))).toEqual(before);
    });

    test('two that have the same index open see what the other applied', async () => {
      const other = await indexes.open(recipe());
      await other.apply({ cursor: 1, documents: three });
      expect((await found(index, question('Birds sit on a wire'))).dense[0]).toBe('birds');
      await index.apply({ cursor: 2, documents: [documentOf('birds', '')] });
      expect((await found(other, question('Birds sit on a wire'))).dense).not.toContain('birds');
      expect(await other.cursor()).toBe(2);
      await other.close();
    });

    test('questions that are asked while it is written see each document as it was or as it is', async () => {
      const version = (n: number) =>
        Array.from({ length: 6 }, (_, at) => documentOf(`d${at}`, `Version v${n} one | Version v${n} two`));
      await index.apply({ cursor: 1, documents: version(1) });
      let writing = true;
      const writes = (async () => {
        for (let n = 2; n <= 8; n++) await index.apply({ cursor: n, documents: version(n) });
        writing = false;
      })();
      do {
        const { dense, lexical } = await index.search(question('Version one two', { limit: 50 }));
        const byDocument = Map.groupBy([...dense, ...lexical], ({ document }) => document);
        expect(byDocument.size).toBe(6);
        for (const hits of byDocument.values()) expect(new Set(hits.map(({ key }) => key)).size).toBe(2);
      } while (writing);
      await writes;
    });

    test('a recipe without vectors has no leg by meaning', async () => {
      const words = await indexes.open(recipe({ digest: 'b2'.repeat(32), dimensions: null }));
      const [ships] = three;
      const chunks = (ships?.chunks ?? []).map((chunk) => ({ ...chunk, vector: null }));
      await words.apply({ cursor: 1, documents: ships ? [{ ...ships, chunks }] : [] });
      expect(await found(words, question('harbour', { dense: null }))).toEqual({ dense: [], lexical: ['ships'] });
      await expect(words.search(question('harbour'))).rejects.toMatchObject({ type: 'Usage' });
      await expect(words.apply({ cursor: 2, documents: three })).rejects.toMatchObject({ type: 'Usage' });
      await words.close();
    });

    test('indexes of other recipes and services are apart, are listed, and go when they are removed', async () => {
      const beside = await indexes.open(recipe({ digest: 'b2'.repeat(32) }));
      const elsewhere = await indexes.open(recipe({ service: 'shop' }));
      await index.apply({ cursor: 3, documents: three });
      expect(await beside.counts()).toEqual({ documents: 0, chunks: 0 });
      expect(await elsewhere.search(question('harbour'))).toEqual({ dense: [], lexical: [] });
      expect(await indexes.list('docs')).toEqual(['a1'.repeat(32), 'b2'.repeat(32)]);
      expect(await indexes.list('nothing')).toEqual([]);
      await Promise.all([beside.close(), elsewhere.close()]);
      await indexes.remove('docs', 'b2'.repeat(32));
      await indexes.remove('docs', 'c3'.repeat(32));
      expect(await indexes.list('docs')).toEqual(['a1'.repeat(32)]);
      expect(await index.counts()).toEqual({ documents: 3, chunks: 4 });
      await indexes.remove('shop', 'a1'.repeat(32));
      expect(await indexes.list('shop')).toEqual([]);
    });
  });
};
