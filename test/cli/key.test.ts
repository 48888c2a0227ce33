import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKeyring, type Issued, type Keyring } from '../../adapters/access/keyring.ts';
import { sqliteAccess } from '../../adapters/access/sqlite.ts';
import { tokenHasher } from '../../adapters/access/token.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import type { ApiKey } from '../../contracts/access.ts';
import { errorOf, folderWithData, INIT, pawlIn } from './cli-world.ts';

let home: string;
beforeAll(async () => {
  home = await folderWithData();
  const made = await pawlIn(home, INIT);
  if (made.code !== 0) throw new Error(made.stderr);
});
afterAll(() => rm(home, { recursive: true, force: true }));

const pawl = (...args: readonly string[]) => pawlIn(home, [...args, '--json']);
const create = async (...args: readonly string[]): Promise<Issued> =>
  (await pawl('key', 'create', ...args)).json as Issued;
const listed = async (): Promise<readonly ApiKey[]> => (await pawl('key', 'ls')).json as ApiKey[];
/** As a gateway of this home has them. */
const withKeys = async <T>(work: (keys: Keyring) => Promise<T>): Promise<T> => {
  const paths = homePaths(home);
  const [store, control] = [sqliteAccess(paths.access), sqliteControl(paths.control)];
  try {
    return await work(createKeyring({ store, control, now: Date.now, hash: tokenHasher(paths.keys) }));
  } finally {
    store.close();
    control.close();
  }
};
const callerOf = (token: string) => withKeys((keys) => keys.callerOf(token));
const rows = async (kind: string) => {
  const control = sqliteControl(homePaths(home).control);
  const found = await control.ledger({ kind });
  control.close();
  return found;
};

test('a home has no key before one is made, and looking makes nothing', async () => {
  expect(await listed()).toEqual([]);
  await expect(readFile(homePaths(home).access)).rejects.toThrow();
});

test('a key that is made holds at the gateway, is listed without its secret, and stands in the ledger', async () => {
  const { key, token } = await create('crawler', '--role', 'writer', '--tenant', 'acme', '--expires', '90d');
  expect(await callerOf(token)).toEqual({ key: key.id, tenant: 'acme', role: 'writer' });
  expect(Date.parse(key.expiresAt ?? '') - Date.parse(key.createdAt)).toBe(90 * 86_400_000);
  const shown = await pawlIn(home, ['key', 'ls']);
  expect(shown.stdout).toMatch(new RegExp(`${key.id} +crawler +acme +writer +never`));
  expect(shown.stdout + JSON.stringify(await listed())).not.toContain(token.slice(-64));
  expect((await rows('api key created')).at(-1)).toMatchObject({
    body: { id: key.id, role: 'writer', tenant: 'acme' },
  });
  const decision = (await rows('decision')).at(-1);
  expect(decision).toMatchObject({ actor: { name: 'ada' }, body: { action: 'keys', allowed: true, role: 'operator' } });
});

test('a rotation prints a new secret, and the old one holds for its grace', async () => {
  const { key, token } = await create('app', '--role', 'reader');
  const rotated = (await pawl('key', 'rotate', key.id, '--grace', '0s')).json as Issued;
  expect([await callerOf(token), await callerOf(rotated.token)]).toEqual([
    null,
    expect.objectContaining({ key: key.id }),
  ]);
  const { stdout } = await pawlIn(home, ['key', 'rotate', key.id]);
  expect(stdout).toMatch(/The old one holds until 20/);
  expect(await callerOf(rotated.token)).not.toBeNull();
});

test('a revoked key opens nothing, and the reason stands in the ledger', async () => {
  const { key, token } = await create('lost', '--role', 'admin');
  expect(errorOf(await pawl('key', 'revoke', key.id))).toMatchObject({ type: 'Usage' });
  expect(await pawl('key', 'revoke', key.id, '--reason', 'laptop stolen')).toMatchObject({
    code: 0,
    json: { noted: true },
  });
  expect(await callerOf(token)).toBeNull();
  expect((await rows('api key revoked')).at(-1)).toMatchObject({ reason: 'laptop stolen', body: { id: key.id } });
  expect(errorOf(await pawl('key', 'rotate', key.id))).toMatchObject({ type: 'Refused' });
});

test('an invitation is printed with what to do with it, and is worth one admin key', async () => {
  const { stdout } = await pawlIn(home, ['key', 'invite', '--tenant', 'acme']);
  const token = /pawl_invite_[0-9a-f]{64}/.exec(stdout)?.[0] ?? '';
  expect(stdout).toContain('/v1/keys/claim');
  const claimed = await withKeys((keys) => keys.claim(token, 'first'));
  expect(claimed).toMatchObject({ key: { tenant: 'acme', role: 'admin' } });
});

test.each([
  [['create', 'x'], 'Usage'],
  [['create', 'x', '--role', 'root'], 'Usage'],
  [['create', 'x', '--role', 'reader', '--tenant', '../acme'], 'Usage'],
  [['create', 'x', '--role', 'reader', '--expires', 'soon'], 'Usage'],
  [['rotate', 'x'], 'Usage'],
  [['rotate', 'f'.repeat(16)], 'NotFound'],
  [['revoke', 'f'.repeat(16), '--reason', 'x'], 'NotFound'],
])('pawl key %j is refused (%s)', async (args, type) => {
  const all = () => withKeys(({ list }) => list());
  const before = await all();
  expect(errorOf(await pawl('key', ...args))).toMatchObject({ type });
  expect(await all()).toEqual(before);
});

test('whom the policy does not let makes no keys, and ends one all the same', async () => {
  const { key, token } = await create('app', '--role', 'reader');
  const { people: path } = homePaths(home);
  const people = await readFile(path, 'utf8');
  const viewer = JSON.parse(people);
  for (const person of viewer.people) person.roles = ['viewer'];
  await writeFile(path, JSON.stringify(viewer));
  for (const args of [['create', 'x', '--role', 'admin'], ['rotate', key.id], ['invite']]) {
    expect(errorOf(await pawl('key', ...args))).toMatchObject({
      type: 'NotAllowed',
      message: expect.stringContaining('admin'),
    });
  }
  expect(await pawl('key', 'revoke', key.id, '--reason', 'enough')).toMatchObject({ code: 0 });
  expect(await callerOf(token)).toBeNull();
  await writeFile(path, people);
});

test('a gateway that others could reach is not open: it does not start, and says what to do', async () => {
  const path = join(home, 'pawl.yaml');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/host: .*/, 'host: 0.0.0.0\n  access: open'));
  const ran = await pawl('gateway');
  expect(ran.code).toBe(3);
  expect(errorOf(ran).message).toContain('gateway.access: expected keys, because its host can be reached');
  await writeFile(path, text);
});
