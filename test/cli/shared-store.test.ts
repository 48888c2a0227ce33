import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { ledgerKeyPath } from '../../adapters/keys/ledger-key.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { openHome } from '../../workers/home.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { errorOf, folderWithData, INIT, pawlIn, type Ran } from './cli-world.ts';

const PASSWORD = 'not-for-the-eyes-of-others';

describe.skipIf(postgresPrograms === null)('homes that share a store in PostgreSQL', () => {
  const server = postgresServer({ fsync: 'on' });
  let store: string;
  let first: string;
  let second: string;
  beforeAll(async () => {
    store = server.address().replace('postgres@', `postgres:${PASSWORD}@`);
    first = await folderWithData();
    second = await folderWithData();
  });
  afterAll(() => {
    for (const home of [first, second]) rmSync(home, { recursive: true, force: true });
  });
  const pawl = async (home: string, ...args: string[]): Promise<Ran> => {
    const ran = await pawlIn(home, args, { PAWL_STORE: store });
    expect(ran.stdout + ran.stderr).not.toContain(PASSWORD);
    return ran;
  };
  const storeLine = async (home: string) => {
    const { checks } = (await pawl(home, 'doctor', '--json')).json as { checks: Array<{ name: string }> };
    return checks.find(({ name }) => name === 'Store');
  };

  test('are told by `pawl doctor` that there is none yet, and that makes none', async () => {
    expect(await storeLine(first)).toMatchObject({ state: 'warning', mend: expect.stringContaining('pawl init') });
    expect(await server.query("SELECT 1 FROM pg_namespace WHERE nspname ~ '^s[0-9]+$'")).toEqual([]);
  });

  test('see one service: what is killed in one is killed in the other', async () => {
    expect(await pawl(first, ...INIT)).toMatchObject({ code: 0 });
    expect(await pawl(second, ...INIT)).toMatchObject({ code: 0 });
    for (const home of [first, second]) expect(existsSync(homePaths(home).control)).toBe(false);
    const status = async () => (await pawl(second, 'status', 'docs', '--json')).json;
    expect(await status()).toMatchObject({ state: { latch: 'disarmed', epoch: 0 } });

    const deps = openHome(readEnvironment({ PAWL_HOME: first, PAWL_STORE: store }));
    const actor = { kind: 'person', name: 'ada' };
    await deps.control.kill({ key: 'kill', service: 'docs', actor, reason: 'smoke' });
    deps.close();
    expect(await status()).toMatchObject({ state: { latch: 'killed', epoch: 1 } });
    expect(await pawl(first, 'audit', 'verify')).toMatchObject({ code: 0 });
  });

  test('are told by `pawl doctor` which store it is, and which home does not hold the key of the ledger', async () => {
    const place = expect.stringMatching(/^postgres:.*, schema s\d+, schema version 1, PostgreSQL \d/);
    expect(await storeLine(first)).toMatchObject({ state: 'ok', found: place });
    expect(await storeLine(second)).toMatchObject({ state: 'failed', mend: expect.stringContaining('ledger.pem') });
    const [from, to] = [first, second].map((home) => ledgerKeyPath(homePaths(home).control)) as [string, string];
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
    expect(await storeLine(second)).toMatchObject({ state: 'ok' });
  });

  test.each([
    ['gc', ['gc', '--dry-run']],
    ['backup', ['backup', '../nowhere']],
    ['restore', ['restore', '../nowhere', '--into', '../nowhere-either']],
    ['check', ['check']],
  ])('are refused by `pawl %s`, which works on the file of a store', async (name, args) => {
    const ran = await pawl(first, ...args, '--json');
    expect(ran.code).toBe(5);
    expect(errorOf(ran)).toMatchObject({ type: 'Refused', message: expect.stringContaining(`\`pawl ${name}\``) });
  });

  test('a server that is away is said so, with what to do', async () => {
    const ran = await pawlIn(first, ['status', '--json'], { PAWL_STORE: 'postgres://pawl@127.0.0.1:1/pawl' });
    expect(ran.code).toBe(8);
    expect(errorOf(ran)).toMatchObject({ type: 'Unavailable', message: expect.stringContaining('127.0.0.1:1/pawl') });
  });
});
