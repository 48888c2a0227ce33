/** What every store of documents promises (adapters/documents/port.ts). */
import { expect, onTestFinished, test } from 'vitest';
import { CORPUS_FILE, type DocumentStore } from '../../adapters/documents/port.ts';
import type { SourceDocument } from '../../contracts/retrieval.ts';

export const document = (id: string, text = `about ${id}`): SourceDocument => ({
  ...{ id, title: id.toUpperCase(), text, format: 'text', metadata: { year: 2026 } },
});
const HAND = 'by hand';

export const documentStoreContract = (open: () => DocumentStore): void => {
  const opened = () => {
    const store = open();
    onTestFinished(() => store.close());
    return store;
  };
  const idsOf = async (store: DocumentStore, tenant = 't') =>
    (await store.list(tenant, { limit: 100 })).map(({ id }) => id);
  /** id → text, null where it was removed. */
  const news = async (store: DocumentStore, after = 0) =>
    Object.fromEntries((await store.changes(after, 100)).map(({ id, document: now }) => [id, now?.text ?? null]));

  test('a document comes back as it was put', async () => {
    const store = opened();
    await store.put('t', [document('a')], HAND);
    expect(await store.get('t', 'a')).toEqual(document('a'));
    expect(await store.get('t', 'b')).toBeNull();
  });

  test('each change has the next number, and what is put again as it stands is no change', async () => {
    const store = opened();
    expect(await store.put('t', [document('a'), document('b')], HAND)).toEqual({ changed: 2, seq: 2 });
    expect(await store.put('t', [document('a'), document('b')], HAND)).toEqual({ changed: 0, seq: 2 });
    expect(await store.put('t', [document('a', 'anew'), document('b')], HAND)).toEqual({ changed: 1, seq: 3 });
  });

  test('the changes after a number hold the last state of each document, removals too', async () => {
    const store = opened();
    const { seq } = await store.put('t', [document('a'), document('b'), document('c')], HAND);
    expect(await news(store)).toEqual({ a: 'about a', b: 'about b', c: 'about c' });
    await store.put('t', [document('a', 'once'), document('a', 'twice')], HAND);
    await store.remove('t', ['b', 'never there'], HAND);
    expect(await news(store, seq)).toEqual({ a: 'twice', b: null });
    expect(await idsOf(store)).toEqual(['a', 'c']);
  });

  test('changes come in pages, the earliest first', async () => {
    const store = opened();
    await store.put('t', [document('b'), document('a'), document('c')], HAND);
    const first = await store.changes(0, 2);
    expect(first.map(({ id }) => id)).toEqual(['b', 'a']);
    expect((await store.changes(first.at(-1)?.seq ?? 0, 2)).map(({ id }) => id)).toEqual(['c']);
  });

  test('tenants have documents of their own under the same ids', async () => {
    const store = opened();
    await store.put('t', [document('a', 'of t')], HAND);
    await store.put('u', [document('a', 'of u')], HAND);
    await store.remove('u', ['a'], HAND);
    expect((await store.get('t', 'a'))?.text).toBe('of t');
    expect(await idsOf(store, 'u')).toEqual([]);
  });

  test('a synchronised file adds, changes and removes what is its own', async () => {
    const store = opened();
    await store.sync('t', [document('a'), document('b')], CORPUS_FILE);
    const done = await store.sync('t', [document('b', 'anew'), document('c')], CORPUS_FILE);
    expect(done).toMatchObject({ added: 1, changed: 1, removed: 1 });
    expect(await idsOf(store)).toEqual(['b', 'c']);
    const again = await store.sync('t', [document('b', 'anew'), document('c')], CORPUS_FILE);
    expect(again).toEqual({ added: 0, changed: 0, removed: 0, seq: done.seq });
  });

  test('what was put or removed by hand is not undone by a file', async () => {
    const store = opened();
    const file = [document('a'), document('b'), document('c')];
    await store.sync('t', file, CORPUS_FILE);
    await store.put('t', [document('a', 'corrected'), document('own')], HAND);
    await store.remove('t', ['b'], HAND);
    await store.sync('t', file, CORPUS_FILE);
    expect((await store.get('t', 'a'))?.text).toBe('corrected');
    expect(await idsOf(store)).toEqual(['a', 'c', 'own']);
    await store.sync('t', [], CORPUS_FILE);
    expect(await idsOf(store)).toEqual(['a', 'own']);
  });

  test('it counts what there is, and what is not of an origin', async () => {
    const store = opened();
    await store.sync('t', [document('a'), document('b')], CORPUS_FILE);
    await store.put('u', [document('x')], HAND);
    expect(await store.counts(CORPUS_FILE)).toEqual({ seq: 3, documents: 3, others: 1 });
    expect(await store.counts('nobody')).toEqual({ seq: 3, documents: 3, others: 3 });
    await store.remove('u', ['x'], HAND);
    expect(await store.counts(CORPUS_FILE)).toEqual({ seq: 4, documents: 2, others: 0 });
  });

  test('lists come in pages, with what a person looks for', async () => {
    const store = opened();
    await store.put('t', [document('a'), document('b'), document('c')], HAND);
    const [first] = await store.list('t', { limit: 1 });
    expect(first).toMatchObject({ id: 'a', title: 'A', characters: 'about a'.length });
    expect((await store.list('t', { after: 'a', limit: 9 })).map(({ id }) => id)).toEqual(['b', 'c']);
  });

  test('asking for new indexes raises the generation, and nothing else does', async () => {
    const store = opened();
    expect(await store.generation()).toBe(0);
    await store.put('t', [document('a')], HAND);
    expect(await store.generation()).toBe(0);
    expect(await store.rebuild()).toBe(1);
    expect(await store.generation()).toBe(1);
    expect(await store.counts()).toMatchObject({ seq: 1 });
  });

  test('a store has a name of its own, and keeps it', async () => {
    const [one, other] = [opened(), opened()];
    const name = await one.identity();
    await one.rebuild();
    expect(await one.identity()).toBe(name);
    expect(await other.identity()).not.toBe(name);
  });

  test('of a batch that cannot be kept as a whole, nothing is kept', async () => {
    const store = opened();
    const broken = {
      ...document('b'),
      metadata: {
        get year(): number {
          throw new Error('broken');
        },
      },
    };
    await expect(store.put('t', [document('a'), broken], HAND)).rejects.toThrow('broken');
    expect(await store.counts()).toMatchObject({ seq: 0, documents: 0 });
  });
};
