/** The stores that the first version left (test/fixtures/stores), opened by the code of today. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { CONTROL_MIGRATIONS } from '../../adapters/control/schema.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import { METRICS_MIGRATIONS } from '../../adapters/query-log/schema.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { openDatabase } from '../../adapters/sqlite/database.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SERVICE = 'docs';

const recorded = (name: 'control' | 'metrics'): string => {
  const path = join(temporaryFolder(), `${name}.db`);
  copyFileSync(fileURLToPath(new URL(`../fixtures/stores/${name}.v1.db`, import.meta.url)), path);
  return path;
};
const all = (path: string, sql: string) => {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
  db.close();
  return rows;
};
/** What the tables hold; the order of the keys in a JSON column is not part of it. */
const contentOf = (path: string) => TABLES.map((sql) => all(path, sql).map(parsed));
const parsed = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, JSON_COLUMNS.has(name) ? JSON.parse(String(value)) : value]),
  );
const JSON_COLUMNS = new Set(['actor', 'body', 'arms', 'vitals', 'answer']);
const versionOf = (path: string) => all(path, 'PRAGMA user_version')[0]?.user_version;
/** What the first version's ledger holds of a row. */
const LEDGER = 'SELECT seq, at, service, cycle, kind, actor, reason, body FROM ledger ORDER BY seq';
const TABLES = [
  LEDGER,
  'SELECT * FROM services',
  'SELECT * FROM variants',
  'SELECT * FROM baselines',
  'SELECT key, asked, answer FROM answers ORDER BY key',
  'SELECT * FROM nonces',
  'SELECT * FROM fleet',
];

const keptBeside = (path: string): string[] => readdirSync(join(path, '..')).filter((name) => name.includes('.v'));

const opened = (path: string) => {
  const control = sqliteControl(path);
  onTestFinished(() => control.close());
  return control;
};
const migrator = (path: string, what: string) =>
  once(
    spawn(process.execPath, [fileURLToPath(new URL('migrator.ts', import.meta.url)), path, what], { stdio: 'inherit' }),
    'exit',
  );

test('the recorded store has rows in every table', () => {
  const path = recorded('control');
  expect(versionOf(path)).toBe(1);
  for (const sql of TABLES) expect(all(path, sql).length, sql).toBeGreaterThan(0);
});

test('a store of the first version is brought forward: nothing is lost, and the ledger of then verifies', async () => {
  const path = recorded('control');
  const before = contentOf(path);
  const control = opened(path);
  expect(versionOf(path)).toBe(CONTROL_MIGRATIONS.length);
  expect(contentOf(path)).toEqual(before);
  const { findings, rows } = await auditStore({ control, key: null });
  expect(findings).toEqual([]);
  expect(rows).toBe(before[0]?.length);
  expect((await control.head()).size).toBe(rows);
});

test('what the first version answered is answered the same, and what serves can be changed', async () => {
  const path = recorded('control');
  const control = opened(path);
  const [last] = await control.ledger({ kind: 'arm', last: 1 });
  const rows = (await control.ledger({})).length;
  const order = { service: SERVICE, actor: { kind: 'person', name: 'ada' }, reason: 'for the record' };
  const again = await control.arm({ ...order, key: String(last?.body.key) });
  expect(again.state).toEqual(last?.body.state);
  expect(await control.ledger({})).toHaveLength(rows);
  expect(await control.kill({ ...order, key: 'new' })).toMatchObject({ outcome: 'done', state: { epoch: 2 } });
  expect((await auditStore({ control, key: null })).findings).toEqual([]);
});

test('what it held before is kept beside it, and is a way back', async () => {
  const path = recorded('control');
  const before = contentOf(path);
  opened(path);
  expect(versionOf(`${path}.v1`)).toBe(1);
  expect(contentOf(`${path}.v1`)).toEqual(before);
  // Only what is brought forward is kept: opening it again makes nothing.
  opened(path);
  expect(keptBeside(path)).toEqual(['control.db.v1']);
});

test('a new store keeps nothing beside it', () => {
  const path = join(temporaryFolder(), 'control.db');
  opened(path);
  expect(keptBeside(path)).toEqual([]);
});

test('several processes that open it at once bring it forward once', async () => {
  const path = recorded('control');
  const rows = all(path, LEDGER).length;
  const names = ['one', 'two', 'three'];
  const exits = await Promise.all(names.map((name) => migrator(path, name)));
  expect(exits.map(([code]) => code)).toEqual([0, 0, 0]);
  const control = opened(path);
  expect((await control.ledger({ kind: 'opened' })).map(({ actor }) => actor.name).sort()).toEqual(names.toSorted());
  expect(await control.ledger({})).toHaveLength(rows + 3);
  expect((await auditStore({ control, key: null })).findings).toEqual([]);
  expect(all(`${path}.v1`, LEDGER)).toHaveLength(rows);
  expect(keptBeside(path)).toEqual(['control.db.v1']);
});

test('whoever finds the old version, and another process faster, does nothing again', () => {
  const path = recorded('control');
  const options = { path, migrations: CONTROL_MIGRATIONS, synchronous: 'FULL', keepOlder: true } as const;
  let raced = false;
  // It asks how many steps there are once it has read the version: that is when the other one comes and goes.
  const migrations = new Proxy(CONTROL_MIGRATIONS, {
    get: (steps, name) => {
      if (name === 'length' && !raced) {
        raced = true;
        openDatabase(options).close();
      }
      return Reflect.get(steps, name);
    },
  });
  openDatabase({ ...options, migrations }).close();
  expect(raced).toBe(true);
  expect(keptBeside(path)).toEqual(['control.db.v1']);
  expect(all(path, LEDGER).length).toBeGreaterThan(0);
});

test.each(['before the steps', 'after the steps'])('kill -9 %s of a migration: the file is as it was', async (what) => {
  const path = recorded('control');
  const before = contentOf(path);
  const [, signal] = await migrator(path, what);
  expect(signal).toBe('SIGKILL');
  expect(versionOf(path)).toBe(1);
  expect(contentOf(path)).toEqual(before);
  expect(all(path, "SELECT 1 FROM pragma_table_info('ledger') WHERE name = 'hash'")).toEqual([]);
  const control = opened(path);
  expect((await auditStore({ control, key: null })).findings).toEqual([]);
  expect(contentOf(path)).toEqual(before);
});

test('a log of the first version is brought forward: its rows come back as they were, and new ones may name a subject', async () => {
  const path = recorded('metrics');
  const sql = 'SELECT at, service, variant, query, latency_ms, error, cost FROM queries ORDER BY at, rowid';
  const before = all(path, sql);
  expect([versionOf(path), before.length]).toEqual([1, 100]);
  const log = sqliteQueryLog(path);
  onTestFinished(() => log.close());
  expect(versionOf(path)).toBe(METRICS_MIGRATIONS.length);
  expect(all(path, sql)).toEqual(before);
  const rows = await log.read({ service: SERVICE, from: 0, to: Number.MAX_SAFE_INTEGER });
  expect(rows.map(({ query }) => query)).toEqual(before.map(({ query }) => query));
  expect(rows.every((row) => !('subject' in row))).toBe(true);
  const [first] = rows;
  if (first) await log.append([{ ...first, subject: 'hash' }]);
  expect(
    (await log.read({ service: SERVICE, from: 0, to: Number.MAX_SAFE_INTEGER })).filter(({ subject }) => subject),
  ).toHaveLength(1);
  // It forgets by itself after a month, so nothing is kept beside it.
  expect(existsSync(`${path}.v1`)).toBe(false);
});

test('no row of the ledger of real cycles holds what somebody asked', async () => {
  const texts = all(recorded('metrics'), 'SELECT DISTINCT query FROM queries').map(({ query }) => String(query));
  const rows = JSON.stringify(all(recorded('control'), LEDGER));
  expect(texts.length).toBeGreaterThan(10);
  expect(texts.filter((text) => rows.includes(text))).toEqual([]);
});
