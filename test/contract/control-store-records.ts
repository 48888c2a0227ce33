/** Keys, ledger, registry and nonces: what a ControlStore remembers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlStore } from '../../adapters/control/port.ts';
import { EMPTY_ROOT, hashOfLeaf, joined, leafOf } from '../../adapters/ledger/hashing.ts';
import { openCheckpoint, readVkey } from '../../adapters/ledger/signed-note.ts';
import { NO_ROW } from '../../contracts/ledger.ts';
import type { RegisteredModel } from '../../contracts/model.ts';
import { merkleTree } from '../../domain/merkle.ts';
import { better, cycle, first, person, sceneOn } from './control-store-scene.ts';

export const keepsControlRecords = (make: () => ControlStore): void => {
  describe('what it remembers', () => {
    let store: ControlStore;
    beforeEach(() => {
      store = make();
    });
    afterEach(() => store.close());
    const { order, addVariant, known, armed, lane, change } = sceneOn(() => store);

    test('a repeated key gets the first answer and changes nothing, long after the state moved on', async () => {
      await armed();
      const token = await lane();
      const repeated = change({ token });
      const answer = await store.shift(repeated);
      const kill = order();
      const killed = await store.kill(kill);
      const rows = await store.ledger({});
      expect(await store.shift(repeated)).toEqual(answer);
      expect(await store.kill(kill)).toEqual(killed);
      expect(await store.state('docs')).toEqual(killed.state);
      expect(await store.ledger({})).toEqual(rows);
    });

    test('a refusal is kept like any other answer', async () => {
      await known();
      const arm = order();
      const refused = await store.arm(arm);
      await store.setGold({ ...order(), variant: first });
      expect(await store.arm(arm)).toEqual(refused);
      expect(await store.state('docs')).toMatchObject({ latch: 'disarmed' });
    });

    test('a key with another content, or of another kind of order, is an error of the caller', async () => {
      await armed();
      const kill = order();
      await store.kill(kill);
      const before = await store.state('docs');
      await expect(store.kill({ ...kill, reason: 'other' })).rejects.toMatchObject({ type: 'Usage' });
      await expect(store.arm(kill)).rejects.toMatchObject({ type: 'Usage' });
      await expect(store.kill({ ...kill, key: '' })).rejects.toMatchObject({ type: 'Usage' });
      expect(await store.state('docs')).toEqual(before);
    });

    test('the ledger tells every change and every refusal in the order in which they took effect', async () => {
      await armed();
      const token = await lane();
      await store.shift(change({ token, key: 'the-shift' }));
      await store.kill(order());
      await store.shift(change({ token, reason: 'too late' }));
      const rows = await store.ledger({ service: 'docs' });
      const told = rows.filter(({ kind }) => kind !== 'variant').map(({ kind, body }) => [kind, body.outcome]);
      expect(told).toEqual([
        ['register', 'done'],
        ['gold', 'done'],
        ['arm', 'done'],
        ['grant', 'done'],
        ['shift', 'done'],
        ['kill', 'done'],
        ['shift', 'refused'],
      ]);
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, at) => at + 1));
      expect(rows.at(-1)).toMatchObject({ cycle, reason: 'too late', actor: person, body: { because: 'stale epoch' } });
      expect(rows.find(({ body }) => body.key === 'the-shift')?.body).toMatchObject({
        token,
        arms: [{ variant: better, share: 1 }],
        before: { arms: [{ variant: first, share: 1 }] },
        state: { arms: [{ variant: better, share: 1 }] },
      });
    });

    test('the ledger is read by service, by cycle, from a row on, and so many rows at a time', async () => {
      await armed();
      const note = { service: 'docs', cycle, kind: 'stage', actor: person, reason: 'done', body: { took: 3 } };
      for (const n of [1, 2, 3]) await store.note({ ...note, key: `note-${n}` });
      await store.note({ ...note, key: 'note-3' });
      await store.note({ ...note, key: 'other', service: 'shop', cycle: null });
      const rows = await store.ledger({ cycle });
      expect(rows.map(({ body }) => body)).toEqual([1, 2, 3].map((n) => ({ took: 3, key: `note-${n}` })));
      expect(await store.ledger({ cycle, afterSeq: rows[0]?.seq ?? 0, limit: 1 })).toEqual([rows[1]]);
      expect((await store.ledger({ service: 'shop' })).map(({ cycle: of }) => of)).toEqual([null]);
      await expect(store.ledger({ limit: Number.NaN })).rejects.toMatchObject({ type: 'Usage' });
    });

    test('the ledger is read by kind and by time, and the newest rows of it', async () => {
      await armed();
      await store.kill(order());
      const rows = await store.ledger({});
      const [from = '', to = ''] = [rows[2]?.at, rows[4]?.at];
      expect((await store.ledger({ kind: 'kill' })).map(({ kind }) => kind)).toEqual(['kill']);
      expect(await store.ledger({ since: from, until: to })).toEqual(rows.filter(({ at }) => at >= from && at <= to));
      expect(await store.ledger({ last: 2 })).toEqual(rows.slice(-2));
      expect(await store.ledger({ last: 1, kind: 'gold' })).toEqual(rows.filter(({ kind }) => kind === 'gold'));
      await expect(store.ledger({ last: -1 })).rejects.toMatchObject({ type: 'Usage' });
    });

    test('every row bears its hash and that of the row before, and the head is the tree over them', async () => {
      expect(await store.head()).toMatchObject({ size: 0, root: EMPTY_ROOT });
      await armed();
      const token = await lane();
      await store.shift(change({ token }));
      await store.killAll({ key: 'fire', actor: person, reason: 'fire' });
      const rows = await store.ledger({});
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, at) => at + 1));
      expect(rows.map(({ prev }) => prev)).toEqual([NO_ROW, ...rows.slice(0, -1).map(({ hash }) => hash)]);
      expect(rows.map(({ hash }) => hash)).toEqual(rows.map((row) => hashOfLeaf(leafOf(row))));
      expect(await store.hashes()).toEqual(rows.map(({ hash }) => hash));
      const root = merkleTree(await store.hashes(), joined, EMPTY_ROOT).root(rows.length);
      expect(await store.head()).toMatchObject({ size: rows.length, root });
    });

    test('each head is signed with the one key of the store', async () => {
      const key = readVkey((await store.ledgerKey()) ?? '') ?? expect.fail('there is no key');
      const signed = async () => openCheckpoint((await store.head()).checkpoint);
      expect((await signed())?.signature(key)).toBe('good');
      await armed();
      const { size, root } = await store.head();
      expect(await signed()).toMatchObject({ size, root });
      expect((await signed())?.signature(key)).toBe('good');
    });

    test('notes are written all or none, each under its own key, and answered with the head after them', async () => {
      const note = (key: string, body = {}) => ({
        ...{ key, service: 'docs', cycle, kind: 'stage', actor: person, reason: 'done', body },
      });
      const one = await store.note(note('one'));
      expect(one).toMatchObject({ size: 1 });
      expect(await store.noteAll([note('one'), note('two'), note('three')])).toMatchObject({ size: 3 });
      expect(await store.note(note('one'))).toMatchObject({ size: 3 });
      await expect(store.noteAll([note('four'), note('two', { other: true })])).rejects.toMatchObject({
        type: 'Usage',
      });
      expect((await store.ledger({})).map(({ body }) => body.key)).toEqual(['one', 'two', 'three']);
      expect(await store.head()).toEqual(await store.noteAll([]));
    });

    test('what a message brought too much, or too little, is read as it is hashed', async () => {
      const actor = { kind: 'person', name: 7, more: true } as unknown as typeof person;
      const body = { half: '\ud800', absent: undefined, 10: 'ten', 9: 'nine' };
      await store.note({ key: 'odd', service: 'docs', cycle, kind: 'stage', actor, reason: 5 as never, body });
      const [row] = await store.ledger({});
      expect(row).toMatchObject({ actor: { kind: 'person', name: '7' }, reason: '5', body: { half: '\ud800' } });
      const { rows } = await store.storedRows({ afterSeq: 0, limit: 1 });
      expect(rows).toMatchObject([{ problem: null, row: { hash: hashOfLeaf(rows[0]?.leaf ?? '') } }]);
    });

    test('half a character in a reason is read as it is hashed', async () => {
      await known();
      await store.kill(order({ reason: 'half \ud800, a zero \0, and \u{1f600}' }));
      const [row] = await store.ledger({ last: 1 });
      expect(row && hashOfLeaf(leafOf(row))).toBe(row?.hash);
      expect(row?.reason).toBe('half \ufffd, a zero \0, and \u{1f600}');
    });

    test.each(['half \ud800', 'zero \0', 'mark \uf8f00'])('any text is a key like any other: %j', async (key) => {
      await known();
      const kill = order({ key });
      const killed = await store.kill(kill);
      expect(await store.kill(kill)).toEqual(killed);
      expect(await store.state('docs')).toMatchObject({ epoch: 1 });
    });

    test('a variant is registered once; the same id with another content is an error of the caller', async () => {
      await addVariant(first);
      await addVariant(first);
      expect(await store.variants('docs')).toHaveLength(1);
      expect(await store.variant(first)).toMatchObject({ id: first, origin: 'init', artifact: { sha256: first } });
      expect(await store.variant('nope')).toBeNull();
      await expect(addVariant(first, 'shop')).rejects.toMatchObject({ type: 'Usage' });
    });

    const modelOf = (letter: string, over: Partial<RegisteredModel> = {}): RegisteredModel => {
      const id = letter.repeat(64);
      const made = {
        kind: 'adapter' as const,
        name: `model ${letter}`,
        base: 'f'.repeat(64),
        createdAt: '2026-11-21T12:00:00Z',
      };
      return { ...made, id, service: 'docs', card: { uri: `artifact:sha256/${id}`, sha256: id }, ...over };
    };
    const addModel = (model: RegisteredModel) => store.addModel({ model, actor: person, reason: 'trained' });

    test('a model is registered once, with its row; its service and kind find it', async () => {
      const [adapter, base] = [modelOf('a'), modelOf('b', { kind: 'encoder', service: null })];
      await addModel(adapter);
      await addModel({ ...adapter, createdAt: '2026-11-22T12:00:00Z' });
      await addModel(base);
      expect(await store.model(adapter.id)).toEqual(adapter);
      expect(await store.model(base.id)).toEqual(base);
      expect(await store.model('nope')).toBeNull();
      expect(await store.models({})).toEqual([adapter, base]);
      expect(await store.models({ service: 'docs' })).toEqual([adapter]);
      expect(await store.models({ kind: 'encoder' })).toEqual([base]);
      expect(await store.models({ kind: 'encoder', service: 'docs' })).toEqual([]);
      const told = (await store.ledger({ kind: 'model registered' })).map(({ service, body, actor }) => [
        service,
        body,
        actor,
      ]);
      expect(told).toEqual([
        ['docs', adapter, person],
        ['*', base, person],
      ]);
    });

    test('a model has the digest of its card for an id, and is what its card says', async () => {
      const model = modelOf('a');
      await expect(addModel({ ...model, id: 'c'.repeat(64) })).rejects.toMatchObject({ type: 'Usage' });
      await addModel(model);
      await expect(addModel({ ...model, base: 'other' })).rejects.toMatchObject({ type: 'Usage' });
      await expect(addModel({ ...model, service: null })).rejects.toMatchObject({ type: 'Usage' });
      expect(await store.ledger({ kind: 'model registered' })).toHaveLength(1);
    });

    test('a baseline is what was measured last', async () => {
      const vitals = {
        service: 'docs',
        variant: first,
        from: '2026-11-21T00:00:00.000Z',
        to: '2026-11-21T01:00:00.000Z',
        readings: { ndcg: { value: 0.7, n: 30, low: 0.6, high: 0.8 } },
      };
      const newer = { ...vitals, readings: { ndcg: { value: 0.8, n: 30, low: 0.7, high: 0.9 } } };
      expect(await store.baseline('docs', first)).toBeNull();
      await store.setBaseline({ key: 'one', variant: first, vitals });
      await store.setBaseline({ key: 'two', variant: first, vitals: newer });
      await store.setBaseline({ key: 'one', variant: first, vitals });
      expect(await store.baseline('docs', first)).toEqual(newer);
    });

    const decided = (allowed: boolean, because: string) => ({
      ruling: { allowed, because, claims: null, decision: null },
      row: { service: 'docs', cycle, kind: 'decision', actor: person, reason: because, body: { allowed } },
    });
    const yes = decided(true, 'may');
    const spending = (nonce: string) => ({
      nonce,
      expiresAt: '2099-01-01T00:00:00.000Z',
      otherwise: decided(false, 'it was used before'),
    });
    const decisions = async () => (await store.ledger({ kind: 'decision' })).map(({ reason }) => reason);

    test('a use is ruled once, with one row, and gets that ruling for ever', async () => {
      const use = { key: 'first', what: 'approve' };
      expect(await store.ruling(use)).toBeNull();
      expect(await store.rule(use, yes)).toEqual(yes.ruling);
      expect(await store.rule(use, decided(false, 'not any more'))).toEqual(yes.ruling);
      expect(await store.ruling(use)).toEqual(yes.ruling);
      expect(await decisions()).toEqual(['may']);
      expect((await store.ledger({ kind: 'decision' }))[0]?.body).toEqual({ allowed: true, key: 'first' });
    });

    test('a ruling is for the use that it was made for; the same key with another content is an error', async () => {
      await store.rule({ key: 'first', what: 'approve' }, yes);
      const other = { key: 'first', what: 'gold' };
      expect(await store.ruling(other)).toBeNull();
      await expect(store.rule(other, yes)).rejects.toMatchObject({ type: 'Usage' });
      expect(await decisions()).toEqual(['may']);
    });

    test('a nonce is spent by one use; every other one gets the other answer', async () => {
      const [one, other] = [{ key: 'one' }, { key: 'other' }];
      expect(await store.rule(one, yes, spending('n'))).toMatchObject({ allowed: true });
      expect(await store.rule(other, yes, spending('n'))).toMatchObject({
        allowed: false,
        because: 'it was used before',
      });
      expect(await store.rule(one, yes, spending('n'))).toMatchObject({ allowed: true });
      expect(await store.rule({ key: 'third' }, yes, spending('m'))).toMatchObject({ allowed: true });
      expect(await decisions()).toEqual(['may', 'it was used before', 'may']);
    });

    test('what is ruled again and again is told once under its name, and still answered each time', async () => {
      const no = { ...decided(false, 'expired'), rowOnce: 'token 7' };
      for (const key of ['a', 'b', 'c']) expect(await store.rule({ key }, no)).toMatchObject({ because: 'expired' });
      expect(await decisions()).toEqual(['expired']);
    });
  });
};
