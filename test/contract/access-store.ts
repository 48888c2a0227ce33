/** What every AccessStore is held to. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AccessStore, NewKey } from '../../adapters/access/port.ts';

const at = (hour: number) => `2026-11-21T${String(hour).padStart(2, '0')}:00:00.000Z`;
const key = (id: string, over: Partial<NewKey> = {}): NewKey => ({
  id,
  name: `key ${id}`,
  tenant: 'default',
  role: 'reader',
  hash: `hash of ${id}`,
  createdAt: at(1),
  expiresAt: null,
  ...over,
});
const fresh = { lastUsedAt: null, rotatedAt: null, graceUntil: null, revokedAt: null };
const told = ({ hash: _, ...rest }: NewKey) => ({ ...rest, ...fresh });

export const describeAccessStore = (name: string, make: () => AccessStore): void => {
  describe(`access store: ${name}`, () => {
    let store: AccessStore;
    beforeEach(() => {
      store = make();
    });
    afterEach(() => store.close());

    test('a key comes back as it was made, and its hash only to who checks one', async () => {
      const made = key('a', { expiresAt: at(9) });
      expect(await store.add(made)).toEqual(told(made));
      expect(await store.key('a')).toEqual(told(made));
      expect(await store.held('a')).toEqual({ key: told(made), hash: 'hash of a', previous: null });
      expect([await store.key('b'), await store.held('b')]).toEqual([null, null]);
    });

    test('an id is given once', async () => {
      await store.add(key('a'));
      await expect(store.add(key('a', { hash: 'another' }))).rejects.toThrow();
      expect(await store.held('a')).toMatchObject({ hash: 'hash of a' });
    });

    test('keys come oldest first, of one tenant where it is named', async () => {
      await store.add(key('b', { createdAt: at(2) }));
      await store.add(key('a', { createdAt: at(3), tenant: 'acme' }));
      await store.add(key('c', { createdAt: at(1) }));
      const ids = async (tenant?: string) => (await store.keys(tenant)).map(({ id }) => id);
      expect([await ids(), await ids('acme'), await ids('nobody')]).toEqual([['c', 'b', 'a'], ['a'], []]);
    });

    test('a rotation keeps the secret before it and no older one', async () => {
      await store.add(key('a'));
      await store.rotate('a', { hash: 'second', at: at(2), graceUntil: at(3) });
      const change = { hash: 'third', at: at(4), graceUntil: at(5) };
      expect(await store.rotate('a', change)).toMatchObject({ rotatedAt: at(4), graceUntil: at(5) });
      expect(await store.held('a')).toMatchObject({ hash: 'third', previous: 'second' });
    });

    test('what is unknown, revoked or expired is not rotated', async () => {
      await store.add(key('revoked'));
      await store.revoke('revoked', at(2));
      await store.add(key('expired', { expiresAt: at(3) }));
      const change = { hash: 'new', at: at(3), graceUntil: at(4) };
      await expect(store.rotate('nobody', change)).rejects.toMatchObject({ type: 'NotFound' });
      await expect(store.rotate('revoked', change)).rejects.toMatchObject({ type: 'Refused' });
      await expect(store.rotate('expired', change)).rejects.toMatchObject({ type: 'Refused' });
      expect(await store.held('expired')).toMatchObject({ hash: 'hash of expired', previous: null });
    });

    test('a revoked key stays in the list, and nothing is left to check it by', async () => {
      await store.add(key('a'));
      await store.rotate('a', { hash: 'second', at: at(2), graceUntil: at(9) });
      await store.revoke('a', at(3));
      expect(await store.revoke('a', at(4))).toMatchObject({ revokedAt: at(3), graceUntil: null });
      expect(await store.held('a')).toBeNull();
      expect(await store.keys()).toMatchObject([{ id: 'a', revokedAt: at(3) }]);
      await expect(store.revoke('nobody', at(3))).rejects.toMatchObject({ type: 'NotFound' });
    });

    test('the last use only moves on', async () => {
      await store.add(key('a'));
      for (const hour of [3, 2]) await store.used('a', at(hour));
      await store.used('nobody', at(3));
      expect(await store.key('a')).toMatchObject({ lastUsedAt: at(3) });
    });

    test('an invitation makes one key, of its tenant, within its time', async () => {
      const invite = (hash: string) => ({ hash, tenant: 'acme', createdAt: at(1), expiresAt: at(3) });
      await store.invite(invite('i'));
      const admin = key('a', { tenant: 'acme', role: 'admin', createdAt: at(2) });
      expect([await store.invited('i', at(2)), await store.invited('i', at(3))]).toEqual(['acme', null]);
      expect(await store.claim('nothing', admin)).toBeNull();
      expect(await store.claim('i', { ...admin, tenant: 'other' })).toBeNull();
      expect(await store.claim('i', { ...admin, createdAt: at(3) })).toBeNull();
      expect(await store.keys()).toEqual([]);
      expect(await store.claim('i', admin)).toEqual(told(admin));
      expect(await store.claim('i', { ...admin, id: 'b' })).toBeNull();
      expect(await store.invited('i', at(2))).toBeNull();
      expect((await store.keys()).map(({ id }) => id)).toEqual(['a']);
    });
  });
};
