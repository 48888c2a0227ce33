import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { DocumentStore } from '../../adapters/documents/port.ts';
import { postgresDocuments } from '../../adapters/documents/postgres.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { document, documentStoreContract } from './document-store.ts';

const HAND = 'by hand';

describe.skipIf(postgresPrograms === null)('on PostgreSQL', () => {
  const server = postgresServer({ synchronous_commit: 'off' });
  documentStoreContract(() => postgresDocuments({ address: server.address(), service: 'docs' }));

  const opened = (address: string, service = 'docs'): DocumentStore => {
    const store = postgresDocuments({ address, service });
    onTestFinished(() => store.close());
    return store;
  };
  const numbers = async (store: DocumentStore, after = 0) => (await store.changes(after, 10_000)).map(({ seq }) => seq);

  test('of writers on several machines none takes a number that a reader has passed already', async () => {
    const address = server.address();
    const reader = opened(address);
    const seen = new Set<string>();
    let cursor = 0;
    const look = async () => {
      for (const { seq, id } of await reader.changes(cursor, 7)) {
        seen.add(id);
        cursor = seq;
      }
    };
    const writing = [0, 1, 2, 3].map(async (writer) => {
      const store = opened(address);
      for (let n = 0; n < 25; n += 1)
        await store.put('t', [document(`${writer}/${n}`), document(`${writer}/${n}b`)], HAND);
    });
    let going = true;
    const reading = (async () => {
      while (going) await look();
    })();
    await Promise.all(writing);
    going = false;
    await reading;
    while (cursor < 200) await look();
    expect(seen.size).toBe(200);
    expect(await numbers(reader)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  });

  test('a change that is not committed yet keeps later ones from being seen before it', async () => {
    const address = server.address();
    const schema = new URL(address).searchParams.get('schema');
    const [slow, quick] = [opened(address), opened(address)];
    await slow.put('t', [document('x')], HAND);
    await quick.counts();
    const seen = await server.session(async (client) => {
      await client.query(`BEGIN; SELECT 1 FROM ${schema}.documents WHERE id = 'x' FOR UPDATE`);
      const first = slow.put('t', [document('y'), document('x', 'anew')], HAND); // Has its numbers, and waits for x.
      await server.waiting(1);
      const second = quick.put('t', [document('z')], HAND);
      await server.waiting(2);
      expect(await numbers(quick)).toEqual([1]);
      await client.query('COMMIT');
      expect(await first).toEqual({ changed: 2, seq: 3 });
      expect(await second).toEqual({ changed: 1, seq: 4 });
      return numbers(quick, 1);
    });
    expect(seen).toEqual([2, 3, 4]);
  });

  test('a change that failed gives its numbers back', async () => {
    const store = opened(server.address());
    await store.put('t', [document('a')], HAND);
    const tooLong = randomBytes(20_000).toString('hex'); // For an index of the server's.
    await expect(store.put('t', [document('b'), document(tooLong)], HAND)).rejects.toThrow();
    expect(await store.put('t', [document('c')], HAND)).toEqual({ changed: 1, seq: 2 });
  });

  test('services have documents, numbers and names of their own in one store', async () => {
    const address = server.address();
    const [docs, shop] = [opened(address), opened(address, 'shop')];
    await docs.put('t', [document('a')], HAND);
    expect(await shop.put('t', [document('a', 'of the shop')], HAND)).toEqual({ changed: 1, seq: 1 });
    expect((await docs.get('t', 'a'))?.text).toBe('about a');
    await shop.rebuild();
    expect([await docs.generation(), await docs.counts()]).toEqual([0, { seq: 1, documents: 1, others: 1 }]);
    expect(await docs.identity()).not.toBe(await shop.identity());
  });

  test('stores on two machines that begin at once are one store', async () => {
    const address = server.address();
    const stores = [1, 2, 3].map(() => opened(address));
    const names = await Promise.all(stores.map((store) => store.identity()));
    expect(new Set(names).size).toBe(1);
  });

  test('many and long documents are brought in by one change, and a file that did not change brings in nothing', async () => {
    const store = opened(server.address());
    const documents = Array.from({ length: 1_200 }, (_, n) =>
      document(`d${n}`, 'word '.repeat(n % 100 === 0 ? 90_000 : 20)),
    );
    expect(await store.sync('t', documents, 'file')).toEqual({ added: 1_200, changed: 0, removed: 0, seq: 1_200 });
    expect(await store.sync('t', documents, 'file')).toEqual({ added: 0, changed: 0, removed: 0, seq: 1_200 });
    expect(await store.get('t', 'd100')).toEqual(documents[100]);
  });

  test('documents come back as they were put, whatever is in them', async () => {
    const store = opened(server.address());
    const odd = {
      ...document('nul \0 id'),
      title: 'nul \0',
      text: "\0 \uF8F0 \ud800 '; --",
      metadata: { 'k\0': '\0' },
    };
    await store.put('t', [odd], HAND);
    expect(await store.get('t', odd.id)).toEqual(odd);
    expect((await store.changes(0, 1))[0]?.document).toEqual(odd);
    expect(await store.list('t', { limit: 1 })).toMatchObject([{ id: odd.id, title: odd.title }]);
    expect(await store.remove('t', [odd.id], HAND)).toEqual({ changed: 1, seq: 2 });
  });

  test('a put that the server did not answer can be repeated: it is done once', async () => {
    const store = opened(server.address());
    await store.put('t', [document('a')], HAND);
    await server.kill();
    await expect(store.put('t', [document('b')], HAND)).rejects.toMatchObject({ type: 'Unavailable' });
    await server.start();
    await vi.waitFor(() => store.put('t', [document('b')], HAND), 10_000);
    expect(await store.put('t', [document('b')], HAND)).toEqual({ changed: 0, seq: 2 });
  });
});
