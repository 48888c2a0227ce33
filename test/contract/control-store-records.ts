/** Keys, ledger, registry and nonces: what a ControlStore remembers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlStore } from '../../adapters/control/port.ts';
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

    test('a variant is registered once; the same id with another content is an error of the caller', async () => {
      await addVariant(first);
      await addVariant(first);
      expect(await store.variants('docs')).toHaveLength(1);
      expect(await store.variant(first)).toMatchObject({ id: first, origin: 'init', artifact: { sha256: first } });
      expect(await store.variant('nope')).toBeNull();
      await expect(addVariant(first, 'shop')).rejects.toMatchObject({ type: 'Usage' });
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

    test('a nonce is spent once; only the same use may come back', async () => {
      const use = { nonce: 'n', key: 'approve', expiresAt: '2099-01-01T00:00:00.000Z' };
      expect(await store.spendNonce(use)).toBe(true);
      expect(await store.spendNonce(use)).toBe(true);
      expect(await store.spendNonce({ ...use, key: 'another' })).toBe(false);
      expect(await store.spendNonce({ ...use, nonce: 'm', key: 'another' })).toBe(true);
    });
  });
};
