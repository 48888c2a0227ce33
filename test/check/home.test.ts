/** The checker on homes that the product itself wrote. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { checkHome, type Report, violationsOf } from '../../check/check.ts';

const root = resolve(import.meta.dirname, '../..');
const CYCLE = 'si_2026_11_21_001';
const actor = { kind: 'guardian', name: 'guardian' };

/** A service with a cycle that was promoted, written by the store, the artifacts and the log of requests. */
const promotedHome = async (): Promise<string> => {
  const home = mkdtempSync(join(tmpdir(), 'pawl-check-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const paths = homePaths(home);
  const artifacts = folderArtifacts(paths.artifacts);
  const control = sqliteControl(paths.control);
  onTestFinished(() => control.close());
  const order = (key: string) => ({ key, service: 'docs', actor, reason: key });
  const note = (kind: string, body: object) =>
    control.note({ ...order(`${CYCLE}/${kind}`), cycle: CYCLE, kind, body: { ...body } });

  const [gold, challenger] = await Promise.all(['gold', 'challenger'].map((text) => artifacts.put(text)));
  if (!gold || !challenger) throw new Error('no variants');
  for (const [artifact, origin] of [
    [gold, 'init'],
    [challenger, CYCLE],
  ] as const) {
    await control.addVariant({
      id: artifact.sha256,
      service: 'docs',
      artifact,
      origin,
      createdAt: '2026-11-21T12:00:00Z',
    });
  }
  await control.register({ ...order('register'), champion: gold.sha256 });
  await control.setGold({ ...order('gold'), variant: gold.sha256 });
  await control.arm(order('arm'));
  // Text in which other canonical forms differ: keys that look like numbers, and beyond ASCII.
  await note('cycle admitted', { workflowId: 'w', numbers: { 10: 0.1, 9: 1e21 }, ü: '\u2028', approval: null });
  const { state } = await control.grant({ ...order('grant'), cycle: CYCLE });
  const token = { epoch: state?.epoch ?? 0, promotion: state?.promotion ?? 0 };
  const arms = [{ variant: challenger.sha256, share: 1 }];
  await control.shift({ ...order('promote'), cycle: CYCLE, token, arms, champion: challenger.sha256 });
  await note('cycle ended', { outcome: 'promoted', challenger: challenger.sha256, evidence: { train: challenger } });
  const weights = await artifacts.put('weights');
  const made = { kind: 'adapter', name: 'docs-1', base: 'b'.repeat(64) } as const;
  const card = await artifacts.putJson({ ...made, parity: 2e-6, files: { 'adapter_model.safetensors': weights } });
  const model = { ...made, id: card.sha256, service: 'docs', card, createdAt: '2026-11-21T12:00:00Z' };
  await control.addModel({ model, actor, reason: 'trained' });
  writeFileSync(join(home, 'ledger.vkey'), `${await control.ledgerKey()}\n`);
  writeFileSync(paths.people, JSON.stringify({ people: [] }));

  const log = sqliteQueryLog(paths.metrics);
  const served = { service: 'docs', query: 'q', ranked: [], latencyMs: 1, error: null, cost: 0 };
  await log.append([{ ...served, at: Date.now(), variant: challenger.sha256 }]);
  log.close();
  return home;
};

/** What somebody does who has the file, and SQLite. */
const tamper = (home: string, sql: string): void => {
  const db = new DatabaseSync(homePaths(home).control);
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) {
    db.exec(`DROP TRIGGER ${name}`);
  }
  db.exec(sql);
  db.close();
};

test('a home that the product wrote keeps every rule that applies, its hashes and signature among them', async () => {
  const report = checkHome(await promotedHome(), { atRest: true });
  expect(report.violations).toEqual([]);
  expect(report).toMatchObject({ cycles: 1, served: 1, running: [] });
  const unsigned = /token|decide|decision|approve |approves|automation|sealed|starts/;
  const untried = /A\/B|canary|trial that|trial leaves|watch|fix/;
  const without = (rule: string): boolean => unsigned.test(rule) || untried.test(rule);
  expect(report.notApplicable.map(({ rule }) => rule).filter((rule) => !without(rule))).toEqual([]);
});

test.each([
  ["UPDATE ledger SET reason = 'because' WHERE seq = 4", 'a row is what its hash was taken of'],
  ['DELETE FROM ledger WHERE seq = 4', 'the ledger has no gap'],
  ['DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)', 'the head is the root over all rows'],
  [
    "UPDATE ledger_head SET checkpoint = replace(checkpoint, '\n10\n', '\n9\n')",
    'the head is signed by the key of the ledger',
  ],
  ["UPDATE services SET latch = 'disarmed'", 'what serves is what the ledger says'],
] as const)('what is done to the file shows: %s', async (sql, rule) => {
  const home = await promotedHome();
  tamper(home, sql);
  expect(violationsOf(home).map((violation) => violation.rule)).toContain(rule);
});

test.each([
  [{ mirrored: true }, 'a request is mirrored to a variant that had a share of the mirror'],
  [{ teams: { nobody: ['d'] } }, 'an answer is mixed from variants that were interleaved'],
] as const)('what the log says of an answer is read from its file: %o', async (over, rule) => {
  const home = await promotedHome();
  const db = new DatabaseSync(homePaths(home).control, { readOnly: true });
  const variant = String(db.prepare('SELECT champion FROM services').get()?.champion);
  db.close();
  const log = sqliteQueryLog(homePaths(home).metrics);
  const served = { service: 'docs', query: 'q', ranked: ['d'], latencyMs: 1, error: null, cost: 0 };
  await log.append([{ ...served, at: Date.now(), variant, ...over }]);
  log.close();
  expect(violationsOf(home).map((violation) => violation.rule)).toEqual([rule]);
});

test('a home that an older Pawl wrote is checked as it is, and as it is after it was brought forward', () => {
  const home = mkdtempSync(join(tmpdir(), 'pawl-check-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const paths = homePaths(home);
  mkdirSync(paths.state);
  cpSync(join(root, 'test/fixtures/stores/control.v1.db'), paths.control);
  cpSync(join(root, 'test/fixtures/stores/metrics.v1.db'), paths.metrics);
  const chain = 'a row is what its hash was taken of';
  const named = (report: Report) => report.notApplicable.map(({ rule }) => rule);

  const before = checkHome(home, { atRest: true });
  expect(before).toMatchObject({ violations: [], cycles: 3 });
  expect(named(before)).toContain(chain);
  sqliteControl(paths.control).close();
  const after = checkHome(home, { atRest: true });
  expect(after).toMatchObject({ violations: [], rows: before.rows });
  expect(named(after)).not.toContain(chain);
});

test('a check neither waits for whoever writes, nor stops them, and sees what was written before', async () => {
  const home = await promotedHome();
  const writer = new DatabaseSync(homePaths(home).control, { timeout: 0 });
  onTestFinished(() => writer.close());
  writer.exec("BEGIN IMMEDIATE; UPDATE services SET because = 'not yet written'");
  expect(violationsOf(home)).toEqual([]);
  writer.exec('COMMIT');
  expect(violationsOf(home).map(({ rule }) => rule)).toEqual(['what serves is what the ledger says']);
});

test('the folder check/ alone, and Node, are enough to check a home', async () => {
  const home = await promotedHome();
  const elsewhere = mkdtempSync(join(tmpdir(), 'pawl-check-alone-'));
  onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
  cpSync(join(root, 'check'), join(elsewhere, 'check'), { recursive: true });
  writeFileSync(join(elsewhere, 'package.json'), '{ "type": "module" }');
  const main = join(elsewhere, 'check', 'main.ts');

  expect(String(execFileSync(process.execPath, [main, home]))).toMatch(
    /\d+ rules over 10 rows, 1 cycle, 0 violations\n$/,
  );
  tamper(home, "UPDATE ledger SET kind = 'cycle' || char(27) || '[2J' WHERE kind = 'cycle ended'");
  const broken = spawnSync(process.execPath, [main, home, '--at-rest'], { encoding: 'utf8' });
  expect(broken.status).toBe(1);
  expect(broken.stdout).toContain('a row is what its hash was taken of');
  expect(broken.stdout).not.toContain('\u001b');

  mkdirSync(join(elsewhere, 'empty'));
  const nothing = spawnSync(process.execPath, [main, join(elsewhere, 'empty'), '--json'], { encoding: 'utf8' });
  expect(nothing).toMatchObject({ status: 2, stdout: '' });
  expect(nothing.stderr).toContain('name a home');
});
