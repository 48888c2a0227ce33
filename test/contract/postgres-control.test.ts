import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ControlStore } from '../../adapters/control/port.ts';
import { postgresControl } from '../../adapters/control/postgres.ts';
import { ledgerKeyFor } from '../../adapters/keys/ledger-key.ts';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import { readVkey } from '../../adapters/ledger/signed-note.ts';
import { openPostgres } from '../../adapters/postgres/database.ts';
import { fenced, grantedOnce } from '../support/fence.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeControlStore } from './control-store.ts';

const actor = { kind: 'person', name: 'ada' };
const order = (key: string) => ({ key, service: 'docs', actor, reason: 'because' });
const keysOf = (name: string, n: number): string[] => Array.from({ length: n }, (_, at) => `${name}-${at}`);

const armed = async (store: ControlStore): Promise<ControlStore> => {
  for (const id of ['a1', 'b2']) {
    const artifact = { uri: `artifact:sha256/${id}`, sha256: id };
    await store.addVariant({ id, service: 'docs', artifact, origin: 'init', createdAt: '2026-11-21T00:00:00.000Z' });
  }
  await store.register({ ...order('register'), champion: 'a1' });
  await store.setGold({ ...order('gold'), variant: 'a1' });
  await store.arm(order('arm'));
  return store;
};

const program = (name: string, given: readonly string[]) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, name), ...given], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { child, exit: once(child, 'exit'), lines: createInterface({ input: child.stdout }) };
};
const all = async (lines: AsyncIterable<string>): Promise<string[]> => {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
};

const isSound = async (store: ControlStore): Promise<void> => {
  const key = readVkey((await store.ledgerKey()) ?? '');
  expect(await auditStore({ control: store, key })).toMatchObject({ signature: 'good', findings: [] });
};

describe.skipIf(postgresPrograms === null)('PostgreSQL', () => {
  const server = postgresServer({ synchronous_commit: 'off' });
  let address: string;
  let database: string;
  const open = (over: { busyMs?: number } = {}) => postgresControl({ address, key: ledgerKeyFor(database), ...over });
  beforeEach(() => {
    address = server.address();
    database = join(temporaryFolder(), 'control.db');
  });

  describeControlStore(
    'PostgreSQL',
    () => postgresControl({ address: server.address(), key: ledgerKeyFor(':memory:') }),
    20,
  );

  test('of two processes that race for the traffic, none moves it with a token that is fenced off, and two that watch see it happen', async () => {
    const store = await armed(open());
    const watchers = [1, 2].map(() => program('control-watcher.ts', [address, database]));
    const watched = watchers.map(({ lines }) => all(lines));
    const racers = ['left', 'right'].map((name) => program('control-racer.ts', [address, database, name, '30']));
    const told = await Promise.all(racers.map(({ lines }) => all(lines)));
    for (const { child } of watchers) child.stdin.end();
    for (const { exit } of [...racers, ...watchers]) expect(await exit).toEqual([0, null]);

    const rows = await store.ledger({});
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, at) => at + 1));
    fenced(rows);
    grantedOnce(rows);
    const moved = rows.filter(({ kind }) => kind === 'shift').map(({ body }) => body.outcome);
    expect(new Set(moved)).toEqual(new Set(['done', 'refused'])); // Otherwise nobody raced.

    const answers = told.flat().map((line) => JSON.parse(line) as { key: string; outcome: string });
    const inLedger = new Map(rows.map(({ body }) => [body.key, body.outcome]));
    for (const { key, outcome } of answers) expect([key, inLedger.get(key)]).toEqual([key, outcome]);
    await isSound(store);

    // Whoever looked saw what the ledger tells, and in its order.
    const states = rows.filter(({ body }) => body.outcome === 'done').map(({ body }) => body.state);
    for (const seen of await Promise.all(watched)) {
      expect(JSON.parse(seen.at(-1) ?? '')).toEqual(states.at(-1));
      let from = 0;
      for (const state of seen) {
        const at = states.findIndex((one, n) => n >= from && isDeepStrictEqual(one, JSON.parse(state)));
        expect(at, state).toBeGreaterThanOrEqual(from);
        from = at;
      }
    }
    store.close();
  });

  test('two processes that change one store lose nothing and do nothing twice', async () => {
    const store = await armed(open());
    const shared = keysOf('shared', 40);
    const writers = ['left', 'right'].map((name) =>
      program('control-writer.ts', [database, JSON.stringify([...keysOf(name, 20), ...shared]), address]),
    );
    expect((await Promise.all(writers.map(({ lines }) => all(lines)))).map(({ length }) => length)).toEqual([60, 60]);
    for (const { exit } of writers) expect(await exit).toEqual([0, null]);
    const rows = await store.ledger({ cycle: 'hammer' });
    expect(rows).toHaveLength(80);
    expect(new Set(rows.map(({ body }) => body.key)).size).toBe(80);
    expect((await store.state('docs'))?.promotion).toBe(80);
    await isSound(store);
    store.close();
  });

  test('processes that open a new store at the same moment make it once, with one key', async () => {
    const writers = ['a', 'b', 'c'].map((name) =>
      program('control-writer.ts', [database, JSON.stringify([name]), address]),
    );
    expect((await Promise.all(writers.map(({ lines }) => all(lines)))).map(({ length }) => length)).toEqual([1, 1, 1]);
    const store = open();
    expect((await store.ledger({})).map(({ kind }) => kind)).toEqual(['grant', 'grant', 'grant']);
    await isSound(store);
    store.close();
  });

  test('a home that holds another key than that of the ledger changes it all the same, and leaves the head unsigned', async () => {
    const store = await armed(open());
    const key = readVkey((await store.ledgerKey()) ?? '');
    const stranger = postgresControl({ address, key: ledgerKeyFor(':memory:') });
    await stranger.kill(order('kill'));
    expect(await auditStore({ control: store, key })).toMatchObject({ signature: 'none', findings: expect.any(Array) });
    expect((await store.ledger({ kind: 'ledger key changed' })).length).toBe(0);
    stranger.close();
    await store.arm(order('again'));
    await isSound(store);
    store.close();
  });

  test('what was acknowledged is there after the server died in mid-stream, and the store goes on by itself', async () => {
    const store = await armed(open());
    const acknowledged: string[] = [];
    let killed: Promise<void> | null = null;
    const hammering = (async () => {
      for (const key of keysOf('doomed', 10_000)) {
        await store.grant({ ...order(key), cycle: 'hammer' });
        acknowledged.push(key);
        if (acknowledged.length === 30) killed = server.kill();
      }
    })();
    await expect(hammering).rejects.toMatchObject({ type: 'Unavailable', hint: expect.any(String) });
    await expect(store.state('docs')).rejects.toMatchObject({ type: 'Unavailable' });
    await killed;
    await server.start();

    const interrupted = `doomed-${acknowledged.length}`;
    expect(await store.grant({ ...order(interrupted), cycle: 'hammer' })).toMatchObject({ outcome: 'done' });
    const told = (await store.ledger({ cycle: 'hammer' })).map(({ body }) => body.key);
    expect(told).toEqual([...acknowledged, interrupted]);
    expect((await store.state('docs'))?.promotion).toBe(told.length);
    await isSound(store);
    store.close();
  });

  test('every change that a process acknowledged is there after it was killed in mid-stream', async () => {
    const store = await armed(open());
    const doomed = program('control-writer.ts', [database, JSON.stringify(keysOf('doomed', 5_000)), address]);
    const acknowledged: string[] = [];
    for await (const line of doomed.lines) {
      acknowledged.push(line.split(' ')[0] ?? '');
      if (acknowledged.length === 20) doomed.child.kill('SIGKILL');
    }
    expect(await doomed.exit).toEqual([null, 'SIGKILL']);
    await store.kill(order('kill')); // In its turn: after whatever the server had still in hand.
    const told = (await store.ledger({ cycle: 'hammer' })).map(({ body }) => body.key);
    expect(told.slice(0, acknowledged.length)).toEqual(acknowledged);
    expect(told.length - acknowledged.length).toBeLessThanOrEqual(1);
    expect((await store.state('docs'))?.promotion).toBe(told.length);
    store.close();
  });

  test('a store that somebody holds is busy, changes nothing, can still be read, and works afterwards', async () => {
    const store = await armed(open({ busyMs: 200 }));
    const holder = openPostgres({ address, part: 'control', migrations: [''], turn: 'ledger_head' });
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: held, resolve: holds } = Promise.withResolvers<void>();
    const holding = holder.transaction(async () => {
      holds();
      await released;
    });
    await held;
    await expect(store.kill(order('kill'))).rejects.toMatchObject({ type: 'StoreBusy', hint: expect.any(String) });
    expect(await store.state('docs')).toMatchObject({ latch: 'armed', epoch: 0 });
    const another = open({ busyMs: 200 });
    expect(await another.state('docs')).toMatchObject({ latch: 'armed', epoch: 0 });
    another.close();
    release();
    await holding;
    holder.close();
    expect(await store.kill(order('kill'))).toMatchObject({ outcome: 'done', state: { epoch: 1 } });
    store.close();
  });

  test('who freezes in the middle of a change loses the turn, and what it had not finished', async () => {
    const store = await armed(open());
    const options = { address, part: 'control', migrations: [''], turn: 'ledger_head', frozenMs: 700 };
    const frozen = openPostgres(options);
    const { promise: thawed, resolve: thaw } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begins } = Promise.withResolvers<void>();
    const late = frozen.transaction(async (tx) => {
      await sql`UPDATE services SET promotion = promotion + 1`.execute(tx);
      begins();
      await thawed;
    });
    await begun;
    expect(await store.kill(order('kill'))).toMatchObject({ outcome: 'done', state: { epoch: 1, promotion: 0 } });
    thaw();
    await expect(late).rejects.toMatchObject({ type: 'Unavailable' });
    expect(await store.state('docs')).toMatchObject({ promotion: 0 });
    frozen.close();
    store.close();
  });

  test('a change that the server gives up for another one is made again', async () => {
    const store = await armed(open({ busyMs: 10_000 }));
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'pawl' AND wait_event_type = 'Lock'`;
    await server.session(async (client) => {
      await client.query(`BEGIN; UPDATE ${schemaOf(address)}.services SET because = because`);
      const kill = store.kill(order('kill')); // Holds the turn, and waits for the row.
      await vi.waitUntil(async () => (await server.query(waiting)).length > 0, { timeout: 10_000, interval: 20 });
      await client.query(`LOCK TABLE ${schemaOf(address)}.ledger_head IN EXCLUSIVE MODE`); // Each waits for the other.
      await client.query('COMMIT');
      expect(await kill).toMatchObject({ outcome: 'done', state: { epoch: 1 } });
    });
    expect(await store.ledger({ kind: 'kill' })).toHaveLength(1);
    store.close();
  });

  test('a change is on the disk when it is acknowledged, whatever the server does by itself', async () => {
    const db = openPostgres({ address, part: 'control', migrations: [''], turn: 'ledger_head' });
    const { rows } = await db.attempt((open) => sql`SHOW synchronous_commit`.execute(open));
    expect(rows).toEqual([{ synchronous_commit: 'on' }]);
    db.close();
  });

  test('a head that somebody removed stops no kill, and its successor says that it is another', async () => {
    const store = await armed(open());
    const before = await store.ledgerKey();
    await server.query(`DELETE FROM ${schemaOf(address)}.ledger_head`);
    expect(await store.kill(order('kill'))).toMatchObject({ outcome: 'done' });
    expect((await store.ledgerKey())?.split('+')[0]).not.toBe(before?.split('+')[0]);
    await isSound(store);
    store.close();
  });

  test.each([
    ['changed', "UPDATE ledger SET reason = 'other' WHERE seq = 1"],
    ['removed', 'DELETE FROM ledger WHERE seq = 1'],
    ['replaced', 'INSERT INTO ledger SELECT * FROM ledger WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET seq = 1'],
    ['removed with all others', 'TRUNCATE ledger'],
  ])('a row of the ledger cannot be %s, not even with SQL', async (_, text) => {
    const store = await armed(open());
    const before = await store.ledger({});
    await expect(server.query(`SET search_path = ${schemaOf(address)}; ${text}`)).rejects.toThrow('append-only');
    expect(await store.ledger({})).toEqual(before);
    store.close();
  });

  test.each(['epoch', 'promotion'])('the %s cannot fall, not even with SQL', async (number) => {
    const store = await armed(open());
    await store.grant({ ...order('grant'), cycle: 'c' });
    await store.kill(order('kill'));
    const text = `UPDATE ${schemaOf(address)}.services SET ${number} = ${number} - 1`;
    await expect(server.query(text)).rejects.toThrow('never fall');
    store.close();
  });

  test('a store that a newer Pawl wrote is refused and left as it is', async () => {
    (await armed(open())).close();
    await server.query(`UPDATE ${schemaOf(address)}.schema_version SET version = 99`);
    const store = open();
    await expect(store.state('docs')).rejects.toMatchObject({ type: 'SetupFailed' });
    store.close();
    expect(await server.query(`SELECT version FROM ${schemaOf(address)}.schema_version`)).toEqual([{ version: 99 }]);
  });

  test('a number that is no safe integer is damage, and never rounded', async () => {
    const store = await armed(open());
    await server.query(`UPDATE ${schemaOf(address)}.services SET promotion = 9007199254740993`);
    await expect(store.state('docs')).rejects.toMatchObject({ type: 'Unavailable' });
    store.close();
  });

  test('a store that is closed says so', async () => {
    const store = await armed(open());
    store.close();
    store.close();
    await expect(store.state('docs')).rejects.toMatchObject({ type: 'Unavailable' });
    await expect(store.kill(order('kill'))).rejects.toMatchObject({ type: 'Unavailable' });
  });

  test('a database that is not there, and a server that is not there, are errors that say what to do', async () => {
    const nowhere = postgresControl({
      address: address.replace('/postgres?', '/nowhere?'),
      key: ledgerKeyFor(database),
    });
    await expect(nowhere.state('docs')).rejects.toMatchObject({
      type: 'Unavailable',
      hint: expect.stringContaining('createdb'),
    });
    nowhere.close();
    const away = postgresControl({ address: 'postgres://pawl:secret@127.0.0.1:1/pawl', key: ledgerKeyFor(database) });
    const failure = await away.state('docs').catch((error: Error) => error);
    expect(failure).toMatchObject({ type: 'Unavailable', message: expect.stringContaining('127.0.0.1:1/pawl') });
    expect(String(failure)).not.toContain('secret');
    away.close();
  });
});

const schemaOf = (address: string): string => new URL(address).searchParams.get('schema') ?? '';
