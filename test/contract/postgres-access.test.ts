import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AccessStore } from '../../adapters/access/port.ts';
import { postgresAccess } from '../../adapters/access/postgres.ts';
import { postgresControl } from '../../adapters/control/postgres.ts';
import { lookAtPostgres } from '../../adapters/control/postgres-look.ts';
import { ledgerKeyFor } from '../../adapters/keys/ledger-key.ts';
import { postgresQueryLog } from '../../adapters/query-log/postgres.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { describeAccessStore } from './access-store.ts';

const at = (hour: number) => `2026-11-21T0${hour}:00:00.000Z`;
const key = (id: string) => ({
  ...({ id, name: id, tenant: 'default', role: 'admin', hash: `hash of ${id}` } as const),
  ...{ createdAt: at(2), expiresAt: null },
});

describe.skipIf(postgresPrograms === null)('on PostgreSQL', () => {
  const server = postgresServer({ synchronous_commit: 'off' });
  const open = (address: string, mark = 'same') => postgresAccess({ address, mark: () => mark });
  describeAccessStore('PostgreSQL', () => open(server.address()));

  const homes = (count: number): readonly AccessStore[] => {
    const address = server.address();
    const stores = Array.from({ length: count }, () => open(address));
    onTestFinished(() => {
      for (const store of stores) store.close();
    });
    return stores;
  };

  test('what one home changes, another finds at its next question', async () => {
    const [one, other] = homes(2) as [AccessStore, AccessStore];
    expect(await other.held('a')).toBeNull();
    await one.add(key('a'));
    expect(await other.held('a')).toMatchObject({ hash: 'hash of a' });
    await one.revoke('a', at(3));
    expect(await other.held('a')).toBeNull();
  });

  test('an invitation that is claimed in two homes at once makes one key', async () => {
    const address = server.address();
    const stores = [open(address), open(address)];
    await stores[0]?.invite({ hash: 'i', tenant: 'default', createdAt: at(1), expiresAt: at(9) });
    const claims = await server.session(async (client) => {
      await client.query(`BEGIN; LOCK TABLE ${schemaOf(address)}.api_keys IN SHARE MODE`);
      const claiming = stores.map((store, n) => store.claim('i', key(`k${n}`)));
      await server.waiting(2);
      await client.query('COMMIT');
      return Promise.all(claiming);
    });
    expect(claims.filter((made) => made !== null)).toHaveLength(1);
    expect(await stores[0]?.keys()).toHaveLength(1);
    for (const store of stores) store.close();
  });

  test('a key that is revoked elsewhere while it is rotated is revoked, and the rotation is refused', async () => {
    const address = server.address();
    const store = open(address);
    await store.add(key('a'));
    await server.session(async (client) => {
      await client.query(`BEGIN; UPDATE ${schemaOf(address)}.api_keys SET revoked_at = '${at(3)}', hash = NULL`);
      const rotating = store.rotate('a', { hash: 'second', at: at(3), graceUntil: at(4) });
      const refused = expect(rotating).rejects.toMatchObject({ type: 'Refused' });
      await server.waiting(1);
      await client.query('COMMIT');
      await refused;
    });
    expect(await store.held('a')).toBeNull();
    store.close();
  });

  test('a home that holds another secret is told which file to copy, and makes no key', async () => {
    const address = server.address();
    const [one, stranger] = [open(address), open(address, 'another')];
    await one.add(key('a'));
    const told = { type: 'SetupFailed', hint: expect.stringContaining('access.key') };
    await expect(stranger.held('a')).rejects.toMatchObject(told);
    await expect(stranger.add(key('b'))).rejects.toMatchObject(told);
    expect(await one.keys()).toHaveLength(1);
    for (const store of [one, stranger]) store.close();
  });

  test('a look at the store names the secrets that a home holds otherwise, and none that it has not made yet', async () => {
    const address = server.address();
    const store = open(address, 'ours');
    const log = postgresQueryLog(address, () => 'ours');
    const look = async (access: string | null, subjects: string | null) =>
      (await lookAtPostgres(address, ledgerKeyFor(':memory:'), { access, subjects }, 3_000)).strange;
    const control = postgresControl({ address, key: ledgerKeyFor(':memory:') });
    await control.services();
    expect(await look('theirs', 'theirs')).toEqual([]); // Nobody has made either yet.
    await store.keys();
    await log.append([
      { at: 1, service: 's', variant: 'v', query: 'q', ranked: [], latencyMs: 1, error: null, cost: 0, subject: 'x' },
    ]);
    expect(await look('ours', null)).toEqual([]);
    expect(await look('theirs', 'ours')).toEqual(['access.key']);
    expect(await look('theirs', 'theirs')).toEqual(['access.key', 'subjects.key']);
    for (const one of [store, log, control]) one.close();
  });

  test('while the server is away no key holds, and it says so; when it is back they hold again', async () => {
    const [store] = homes(1) as [AccessStore];
    await store.add(key('a'));
    await server.kill();
    await expect(store.held('a')).rejects.toMatchObject({ type: 'Unavailable', hint: expect.any(String) });
    await server.start();
    expect(await vi.waitFor(() => store.held('a'), 10_000)).toMatchObject({ hash: 'hash of a' });
  });
});

const schemaOf = (address: string): string => new URL(address).searchParams.get('schema') ?? '';
