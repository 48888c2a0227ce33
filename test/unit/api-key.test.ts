import { timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { sqliteAccess } from '../../adapters/access/sqlite.ts';
import { holdsToken, tokenHasher } from '../../adapters/access/token.ts';
import { by, issue, memoryKeys } from '../support/access.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

vi.mock(import('node:crypto'), async (original) => {
  const crypto = await original();
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) };
});

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 21, 12, 30);

test('a key says what it is and whose, holds 256 random bits, and is known by its form', async () => {
  const { keys } = memoryKeys();
  const [one, two] = [await issue(keys), await issue(keys)];
  expect(one.token).toMatch(new RegExp(`^pawl_${one.key.id}_[0-9a-f]{64}$`));
  expect(two.token.slice(-64)).not.toBe(one.token.slice(-64));
  expect([holdsToken(`see ${one.token}.`), holdsToken('pawl_config_file')]).toEqual([true, false]);
  const caller = { key: one.key.id, tenant: 'default', role: 'reader' };
  expect(await keys.callerOf(one.token)).toEqual(caller);
});

test('abuse 64: neither the store nor the ledger holds anything of a secret', async () => {
  const folder = temporaryFolder();
  const store = sqliteAccess(join(folder, 'access.db'));
  const { keys, rows } = memoryKeys({ store });
  const { key, token } = await issue(keys);
  const again = await keys.rotate(key.id, HOUR, by);
  const invitation = await keys.invite('acme', by);
  const claimed = await keys.claim(invitation.token, 'first');
  store.close();
  const written = [
    JSON.stringify(rows),
    ...readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')),
  ];
  for (const shown of [token, again.token, invitation.token, claimed?.token ?? '']) {
    expect(shown).toContain('pawl_');
    for (const text of written) expect(text).not.toContain(shown.slice(-64));
  }
});

test('the ledger tells of every change, by whom and why', async () => {
  const { keys, rows } = memoryKeys();
  const { key } = await issue(keys, { role: 'writer' });
  await keys.rotate(key.id, HOUR, by);
  await keys.revoke(key.id, by);
  await keys.claim((await keys.invite('acme', by)).token, 'first admin');
  expect(rows.map(({ kind }) => kind)).toEqual([
    'api key created',
    'api key rotated',
    'api key revoked',
    'api key invitation',
    'api key claimed',
  ]);
  expect(rows[0]).toMatchObject({ ...by, service: '*', body: { id: key.id, tenant: 'default', role: 'writer' } });
  expect(rows[4]).toMatchObject({ actor: { kind: 'invitation' }, body: { tenant: 'acme', role: 'admin' } });
});

test('no token is handed out that the ledger does not tell of, and a revocation holds without it', async () => {
  let works = true;
  const note = async () => {
    if (!works) throw new Error('the disk is full');
    return { size: 1, root: '', checkpoint: '' };
  };
  const { keys } = memoryKeys({ control: { note } });
  const { key, token } = await issue(keys);
  works = false;
  await expect(issue(keys)).rejects.toThrow('full');
  await expect(keys.rotate(key.id, HOUR, by)).rejects.toThrow('full');
  await expect(keys.invite('acme', by)).rejects.toThrow('full');
  expect(await keys.callerOf(token)).not.toBeNull();
  expect(await keys.revoke(key.id, by)).toMatchObject({ noted: false });
  expect(await keys.callerOf(token)).toBeNull();
});

test('after a rotation the secret before it holds through its grace, and the one before that no more', async () => {
  let now = NOON;
  const { keys } = memoryKeys({ now: () => now });
  const first = await issue(keys);
  const second = await keys.rotate(first.key.id, HOUR, by);
  const holds = async (token: string) => (await keys.callerOf(token)) !== null;
  expect([await holds(first.token), await holds(second.token)]).toEqual([true, true]);
  now += HOUR - 1;
  expect(await holds(first.token)).toBe(true);
  now += 1;
  expect([await holds(first.token), await holds(second.token)]).toEqual([false, true]);
  const third = await keys.rotate(first.key.id, HOUR, by);
  expect([await holds(first.token), await holds(second.token), await holds(third.token)]).toEqual([false, true, true]);
  await keys.rotate(first.key.id, 0, by);
  expect(await holds(third.token)).toBe(false);
});

test('a key with an end holds until then', async () => {
  let now = NOON;
  const { keys } = memoryKeys({ now: () => now });
  const { token } = await issue(keys, { lifeMs: HOUR });
  now += HOUR - 1;
  expect(await keys.callerOf(token)).not.toBeNull();
  now += 1;
  expect(await keys.callerOf(token)).toBeNull();
});

test('the last use is remembered to the hour, and written once in it', async () => {
  let now = NOON;
  const { keys, store } = memoryKeys({ now: () => now });
  const { key } = await issue(keys);
  const used = vi.spyOn(store, 'used');
  for (const later of [0, 1_000, 29 * 60_000]) {
    now = NOON + later;
    await keys.used(key.id);
  }
  expect(await store.key(key.id)).toMatchObject({ lastUsedAt: '2026-11-21T12:00:00.000Z' });
  expect(used).toHaveBeenCalledTimes(1);
  now = NOON + HOUR;
  await keys.used(key.id);
  expect(await store.key(key.id)).toMatchObject({ lastUsedAt: '2026-11-21T13:00:00.000Z' });
});

test('abuse 10, 11: whatever is wrong with a key, the same is hashed and compared, in constant time', async () => {
  let hashed = 0;
  const real = tokenHasher(temporaryFolder());
  const hash = (token: string) => {
    hashed += 1;
    return real(token);
  };
  const { keys } = memoryKeys({ hash });
  const { key, token } = await issue(keys);
  const revoked = await issue(keys);
  await keys.revoke(revoked.key.id, by);
  const wrong = token.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  const unknown = token.replace(key.id, 'f'.repeat(16));
  const work = [];
  for (const shown of [token, wrong, unknown, revoked.token, '', 'x'.repeat(100_000)]) {
    hashed = 0;
    vi.mocked(timingSafeEqual).mockClear();
    const caller = await keys.callerOf(shown);
    work.push({ holds: caller !== null, hashed, compared: vi.mocked(timingSafeEqual).mock.calls.length });
  }
  const same = { hashed: 1, compared: 2 };
  expect(work).toEqual([true, false, false, false, false, false].map((holds) => ({ holds, ...same })));
});

test('a key holds in its own home only: the hash is under a secret that lies with the private keys', async () => {
  const folder = temporaryFolder();
  const { store, keys } = memoryKeys({ hash: tokenHasher(folder) });
  const { token } = await issue(keys);
  expect(statSync(join(folder, 'access.key')).mode & 0o777).toBe(0o600);
  const elsewhere = memoryKeys({ store, hash: tokenHasher(temporaryFolder()) });
  const again = memoryKeys({ store, hash: tokenHasher(folder) });
  expect(await elsewhere.keys.callerOf(token)).toBeNull();
  expect(await again.keys.callerOf(token)).not.toBeNull();
});

test('an invitation makes one admin of its tenant, within 15 minutes', async () => {
  let now = NOON;
  const { keys } = memoryKeys({ now: () => now });
  const [used, late] = [await keys.invite('acme', by), await keys.invite('acme', by)];
  expect(await keys.claim('pawl_invite_', 'me')).toBeNull();
  const both = await Promise.all([keys.claim(used.token, 'me'), keys.claim(used.token, 'me too')]);
  expect(both.filter((claimed) => claimed !== null)).toMatchObject([{ key: { tenant: 'acme', role: 'admin' } }]);
  now += 15 * 60_000;
  expect(await keys.claim(late.token, 'me')).toBeNull();
});
