import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { ControlStore } from '../../adapters/control/port.ts';
import { CONTROL_MIGRATIONS } from '../../adapters/control/schema.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { ledgerKeyPath } from '../../adapters/keys/ledger-key.ts';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import { readVkey } from '../../adapters/ledger/signed-note.ts';
import { openDatabase } from '../../adapters/sqlite/database.ts';
import { assertLocalDisk } from '../../adapters/sqlite/local-disk.ts';
import { canMount, smallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeControlStore } from './control-store.ts';

describeControlStore('SQLite', () => sqliteControl(':memory:'));

const actor = { kind: 'person', name: 'ada' };
const order = (key: string) => ({ key, service: 'docs', actor, reason: 'because' });
const fileOf = (folder = temporaryFolder()): string => join(folder, 'control.db');

const armed = async (path: string): Promise<ControlStore> => {
  const store = sqliteControl(path);
  const artifact = { uri: 'artifact:sha256/a1', sha256: 'a1' };
  await store.addVariant({
    id: 'a1',
    service: 'docs',
    artifact,
    origin: 'init',
    createdAt: '2026-11-21T00:00:00.000Z',
  });
  await store.register({ ...order('register'), champion: 'a1' });
  await store.setGold({ ...order('gold'), variant: 'a1' });
  await store.arm(order('arm'));
  return store;
};

const writer = (path: string, keys: readonly string[]) => {
  const program = join(import.meta.dirname, 'control-writer.ts');
  const child = spawn(process.execPath, [program, path, JSON.stringify(keys)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, exit: once(child, 'exit'), lines: createInterface({ input: child.stdout }) };
};
const countOf = async (lines: AsyncIterable<string>): Promise<number> => {
  let count = 0;
  for await (const _ of lines) count += 1;
  return count;
};
const keysOf = (name: string, n: number): string[] => Array.from({ length: n }, (_, at) => `${name}-${at}`);

test('two processes that change one store lose nothing and do nothing twice', async () => {
  const path = fileOf();
  const store = await armed(path);
  const shared = keysOf('shared', 60);
  const writers = ['left', 'right'].map((name) => writer(path, [...keysOf(name, 40), ...shared, ...keysOf(name, 5)]));
  const acknowledged = await Promise.all(writers.map(({ lines }) => countOf(lines)));
  for (const { exit } of writers) expect(await exit).toEqual([0, null]);
  expect(acknowledged).toEqual([105, 105]);

  const changes = 40 + 40 + shared.length;
  expect((await store.state('docs'))?.promotion).toBe(changes);
  const rows = await store.ledger({ cycle: 'hammer' });
  expect(new Set(rows.map(({ body }) => body.key)).size).toBe(changes);
  expect(rows).toHaveLength(changes);
  const key = readVkey((await store.ledgerKey()) ?? '');
  expect(await auditStore({ control: store, key })).toMatchObject({ signature: 'good', findings: [] });
  store.close();
});

test('processes that open a new store at the same moment make one key, for nobody else to read', async () => {
  const path = fileOf();
  const writers = ['a', 'b', 'c', 'd'].map((name) => writer(path, [name]));
  expect(await Promise.all(writers.map(({ lines }) => countOf(lines)))).toEqual([1, 1, 1, 1]);
  for (const { exit } of writers) expect(await exit).toEqual([0, null]);
  const store = sqliteControl(path);
  const kinds = (await store.ledger({})).map(({ kind }) => kind);
  expect(kinds).toEqual(['grant', 'grant', 'grant', 'grant']);
  const key = readVkey((await store.ledgerKey()) ?? '');
  expect(await auditStore({ control: store, key })).toMatchObject({ signature: 'good', findings: [] });
  store.close();
  const keys = dirname(ledgerKeyPath(path));
  expect(readdirSync(keys)).toEqual(['ledger.pem']);
  expect(statSync(ledgerKeyPath(path)).mode & 0o077).toBe(0);
});

test('who opens a new store while another process holds it waits longer than for a change', async () => {
  const path = fileOf();
  const held = `
    const db = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(path)});
    db.exec('BEGIN EXCLUSIVE; CREATE TABLE t (a)');
    console.log('held');
    setTimeout(() => db.close(), 2_500);`;
  const child = spawn(process.execPath, ['-e', held], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const store = sqliteControl(path);
  expect(await store.state('docs')).toBeNull();
  store.close();
});

test('a ledger from before there were hashes is brought forward, and every row of it is in the first head', async () => {
  const path = fileOf();
  const old = openDatabase({ path, migrations: CONTROL_MIGRATIONS.slice(0, 1), synchronous: 'FULL' });
  old.db.exec(`
    INSERT INTO answers (key, asked, answer) VALUES ('told', 'x', 'null');
    INSERT INTO ledger (at, service, cycle, kind, actor, reason, body) VALUES
      ('2026-11-20T00:00:00.000Z', 'docs', NULL, 'register', '{"name":"ada","kind":"person"}', 'é', '{"b":1,"a":{"10":1,"9":2}}'),
      ('2026-11-20T00:00:01.000Z', 'docs', 'c', 'stage', '{"kind":"cycle","name":"c"}', '', '{}'),
      ('2026-11-20T00:00:02.000Z', '*', NULL, 'kill all', '{"kind":"person","name":"ada"}', 'fire', '{"services":[]}');`);
  old.close();

  const store = sqliteControl(path);
  expect((await store.ledger({})).map(({ seq, kind }) => [seq, kind])).toEqual([
    [1, 'register'],
    [2, 'stage'],
    [3, 'kill all'],
  ]);
  const key = readVkey((await store.ledgerKey()) ?? '');
  expect(await auditStore({ control: store, key })).toMatchObject({ rows: 3, signature: 'good', findings: [] });
  await store.note({ ...order('after'), cycle: null, kind: 'stage', body: {} });
  expect(await auditStore({ control: store, key })).toMatchObject({ rows: 4, signature: 'good', findings: [] });
  store.close();

  const db = new DatabaseSync(path);
  const answers = db.prepare('SELECT key, at FROM answers ORDER BY rowid').all();
  expect(answers.map(({ key: of }) => of)).toEqual(['told', 'after']);
  for (const { at } of answers) expect(String(at)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(() => db.exec("UPDATE ledger SET reason = 'other' WHERE seq = 1")).toThrow('append-only');
  db.close();
});

test('a process that still runs a Pawl from before there were hashes writes nothing into the chain', async () => {
  const path = fileOf();
  (await armed(path)).close();
  const db = new DatabaseSync(path);
  const insert = `INSERT INTO ledger (at, service, cycle, kind, actor, reason, body) VALUES ('', 'docs', NULL, 'x', '{}', '', '{}')`;
  expect(() => db.exec(insert)).toThrow('restart what still runs the older one');
  db.close();
});

test('every change that a process acknowledged is there after it was killed in mid-stream', async () => {
  const path = fileOf();
  (await armed(path)).close();
  const { child, exit, lines } = writer(path, keysOf('doomed', 5_000));
  const acknowledged: string[] = [];
  for await (const line of lines) {
    acknowledged.push(line.split(' ')[0] ?? '');
    if (acknowledged.length === 40) child.kill('SIGKILL');
  }
  expect(await exit).toEqual([null, 'SIGKILL']);

  const store = sqliteControl(path);
  const told = (await store.ledger({ cycle: 'hammer' })).map(({ body }) => body.key);
  expect(told.slice(0, acknowledged.length)).toEqual(acknowledged);
  // At most the one that it was about to acknowledge, and then as a whole.
  expect(told.length - acknowledged.length).toBeLessThanOrEqual(1);
  expect((await store.state('docs'))?.promotion).toBe(told.length);
  store.close();
});

test('a store that another process holds is busy, changes nothing, can still be read, and works afterwards', async () => {
  const path = fileOf();
  const store = await armed(path);
  const holder = new DatabaseSync(path);
  holder.exec('BEGIN IMMEDIATE');
  await expect(store.kill(order('kill'))).rejects.toMatchObject({ type: 'StoreBusy', hint: expect.any(String) });
  expect(await store.state('docs')).toMatchObject({ latch: 'armed', epoch: 0 });
  holder.exec('ROLLBACK');
  holder.close();
  expect(await store.kill(order('kill'))).toMatchObject({ outcome: 'done', state: { epoch: 1 } });
  store.close();
});

test.skipIf(!canMount)('a full disk is an error of its own, leaves nothing half written, and passes', async () => {
  const disk = smallDisk();
  const path = fileOf(disk.folder);
  const store = await armed(path);
  const before = await store.ledger({});
  const note = (n: number) => ({
    ...order(`note-${n}`),
    cycle: null,
    kind: 'stage',
    body: { text: 'x'.repeat(20_000) },
  });
  disk.fill();
  let kept = 0;
  const filling = async (): Promise<void> => {
    for (; kept < 100; kept += 1) await store.note(note(kept));
  };
  await expect(filling()).rejects.toMatchObject({ type: 'DiskFull', hint: expect.any(String) });
  await expect(store.kill(order('kill'))).rejects.toMatchObject({ type: 'DiskFull' });
  expect(await store.ledger({})).toHaveLength(before.length + kept);
  expect(await store.state('docs')).toMatchObject({ latch: 'armed', epoch: 0 });

  disk.empty();
  expect(await store.kill(order('kill'))).toMatchObject({ outcome: 'done', state: { epoch: 1 } });
  await store.note(note(kept));
  expect(await store.ledger({})).toHaveLength(before.length + kept + 2);
  store.close();
});

test('what was answered is still known after the store was opened again', async () => {
  const path = fileOf();
  const first = await armed(path);
  const killed = await first.kill(order('kill'));
  first.close();
  const again = await armed(path);
  expect(await again.kill(order('kill'))).toEqual(killed);
  expect(await again.state('docs')).toEqual(killed.state);
  again.close();
});

test('a store that is closed says so', async () => {
  const store = await armed(fileOf());
  store.close();
  store.close();
  await expect(store.state('docs')).rejects.toMatchObject({ type: 'Unavailable' });
});

test.each([
  ['changed', "UPDATE ledger SET reason = 'other' WHERE seq = 1"],
  ['removed', 'DELETE FROM ledger WHERE seq = 1'],
  ['replaced', 'INSERT OR REPLACE INTO ledger SELECT * FROM ledger WHERE seq = 1'],
])('a row of the ledger cannot be %s, not even with SQL', async (_, sql) => {
  const path = fileOf();
  const store = await armed(path);
  const before = await store.ledger({});
  const other = new DatabaseSync(path);
  expect(() => other.exec(sql)).toThrow('append-only');
  other.close();
  expect(await store.ledger({})).toEqual(before);
  store.close();
});

test.each([
  ['epoch', 'UPDATE services SET epoch = epoch - 1'],
  ['promotion', 'UPDATE services SET promotion = promotion - 1'],
])('the %s cannot fall, not even with SQL', async (_, sql) => {
  const path = fileOf();
  const store = await armed(path);
  await store.grant({ ...order('grant'), cycle: 'c' });
  await store.kill(order('kill'));
  const other = new DatabaseSync(path);
  expect(() => other.exec(sql)).toThrow('never fall');
  other.close();
  store.close();
});

test('a store that a newer Pawl wrote is refused and left as it is', async () => {
  const path = fileOf();
  (await armed(path)).close();
  const newer = new DatabaseSync(path);
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  expect(() => sqliteControl(path)).toThrow(expect.objectContaining({ type: 'SetupFailed' }));
  const after = new DatabaseSync(path);
  expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
  after.close();
});

test('an older schema is brought forward and keeps its rows; a step that fails leaves it as it was', () => {
  const path = fileOf();
  const open = (...migrations: string[]) => openDatabase({ path, migrations, synchronous: 'FULL' });
  const one = 'CREATE TABLE things (name TEXT)';
  const first = open(one);
  first.db.exec("INSERT INTO things VALUES ('kept')");
  first.close();
  expect(() => open(one, 'ALTER TABLE things ADD COLUMN half TEXT; SELECT nonsense')).toThrow('nonsense');
  const second = open(one, 'ALTER TABLE things ADD COLUMN size INTEGER');
  expect(second.db.prepare('SELECT * FROM things').all()).toEqual([{ name: 'kept', size: null }]);
  second.close();
});

test('a file that is no database, or a damaged one, is an error that says what to do', async () => {
  const nonsense = fileOf();
  writeFileSync(nonsense, 'hello, I am a text file, and I am long enough to be looked at by a database'.repeat(50));
  expect(() => sqliteControl(nonsense)).toThrow(
    expect.objectContaining({ type: 'Unavailable', hint: expect.stringContaining('backup') }),
  );

  const damaged = fileOf();
  (await armed(damaged)).close();
  const file = openSync(damaged, 'r+');
  writeSync(file, Buffer.alloc(60_000, 0xa5), 0, 60_000, 4_096);
  closeSync(file);
  await expect((async () => sqliteControl(damaged).state('docs'))()).rejects.toMatchObject({ type: 'Unavailable' });
});

test('a network disk is refused by name, a local one is not', () => {
  const on = (type: number) => () => assertLocalDisk('/state', () => ({ type }), 'linux');
  expect(on(0x6969)).toThrow(expect.objectContaining({ type: 'SetupFailed', message: expect.stringContaining('NFS') }));
  expect(on(0xff534d42)).toThrow(/CIFS/);
  expect(on(0xff534d42 | 0)).toThrow(/CIFS/); // Some systems give the number with a sign.
  expect(on(0x65735546)).toThrow(/FUSE/);
  expect(on(0xef53)).not.toThrow();
  const path = fileOf();
  const remote = () => openDatabase({ path, migrations: [], synchronous: 'FULL', statfs: () => ({ type: 0x6969 }) });
  if (process.platform === 'linux') expect(remote).toThrow(/NFS/);
});
