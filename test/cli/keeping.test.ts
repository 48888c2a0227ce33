import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import { subjectHasher } from '../../adapters/keys/subject-key.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { errorOf, folderWithData, INIT, pawlIn, type Ran } from './cli-world.ts';

const SECRET = 'where does Jane Doe keep her passport';

let home: string;
let pawl: (...args: readonly string[]) => Promise<Ran>;
const folders: string[] = [];
const made = (folder: string): string => {
  folders.push(folder);
  return folder;
};

beforeAll(async () => {
  home = made(await folderWithData());
  pawl = (...args) => pawlIn(home, args);
  expect((await pawl(...INIT)).code).toBe(0);
});
beforeEach(async () => {
  const paths = homePaths(home);
  const log = sqliteQueryLog(paths.metrics);
  const row = { at: Date.now(), service: 'docs', variant: 'v', ranked: [], latencyMs: 1, error: null, cost: 0 };
  await log.append([{ ...row, query: SECRET, subject: subjectHasher(paths.keys)('jane') }]);
  log.close();
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

test('gc says what it would free, removes it, and its decision and its row stand in the ledger', async () => {
  const dry = await pawl('gc', '--dry-run', '--json');
  expect(dry.json).toMatchObject({ dryRun: true, artifacts: { files: 0 }, total: { files: expect.any(Number) } });
  const store = folderArtifacts(homePaths(home).artifacts);
  const { sha256 } = await store.putJson({ orphan: true });
  const path = join(homePaths(home).artifacts, 'sha256', sha256.slice(0, 2), sha256);
  utimesSync(path, new Date(0), new Date(0));
  const ran = await pawl('gc');
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/freed 15 B/) });
  expect(existsSync(path)).toBe(false);
  const { stdout } = await pawl('audit', 'show', '--json');
  expect(stdout).toContain(sha256);
});

test('a safe age of minutes is refused', async () => {
  const ran = await pawl('gc', '--older-than', '5m', '--json');
  expect(errorOf(ran)).toMatchObject({ type: 'Usage', message: expect.stringContaining('1h or more') });
});

test('backup and restore: the copy is a home that comes back killed, and knows the ledger', async () => {
  const backup = made(`${home}-backup`);
  const into = made(`${home}-restored`);
  const copied = await pawl('backup', backup, '--json');
  expect(copied.json).toMatchObject({ folder: backup, manifest: { keys: false, missing: [] } });
  expect(errorOf(await pawl('backup', backup, '--json'))).toMatchObject({ type: 'Refused' });
  const restored = await pawlIn(made(await folderWithData()), ['restore', backup, '--into', into, '--json']);
  expect(restored.code).toBe(0);
  expect(restored.json).toMatchObject({ services: [{ service: 'docs', latch: 'killed' }], findings: [] });
  expect((await pawlIn(into, ['variant', 'ls', '--json'])).code).toBe(0);
  expect(errorOf(await pawl('restore', backup, '--into', into, '--json'))).toMatchObject({ type: 'Refused' });
});

test('--armed is asked of the policy: with a key it is granted, without one the home comes back killed', async () => {
  const backup = made(`${home}-with-keys`);
  await pawl('backup', backup, '--with-keys');
  const armed = await pawl('restore', backup, '--into', made(`${home}-armed`), '--armed', '--yes', '--json');
  expect(armed).toMatchObject({ code: 0, json: { refused: null, services: [{ latch: 'disarmed' }] } });
  const without = made(`${home}-without-keys`);
  await pawl('backup', without);
  const ran = await pawl('restore', without, '--into', made(`${home}-not-armed`), '--armed', '--yes', '--json');
  expect(ran).toMatchObject({ code: 6, json: { refused: expect.any(String), services: [{ latch: 'killed' }] } });
  const asking = await pawl('restore', backup, '--into', made(`${home}-asked`), '--armed', '--json');
  expect(errorOf(asking).hint).toContain('--yes');
  expect(existsSync(`${home}-asked`)).toBe(false);
});

test('erase shows the texts first, and afterwards says what went; a person without a terminal says --yes', async () => {
  const dry = await pawl('erase', '--subject', 'jane', '--reason', 'request 12', '--dry-run', '--json');
  expect(dry.json).toMatchObject({ dryRun: true, texts: [SECRET] });
  const asking = await pawl('erase', '--subject', 'jane', '--reason', 'request 12', '--json');
  expect(errorOf(asking)).toMatchObject({ type: 'Usage', hint: expect.stringContaining('--yes') });
  const ran = await pawl('erase', '--subject', 'jane', '--reason', 'request 12', '--yes');
  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/erased \d+ served queries and judgements, 0 evidence files \(row \d+/);
  expect(ran.stdout).not.toContain('Jane');
  const { stdout } = await pawl('audit', 'show', '--json');
  expect(stdout).toContain('request 12');
  expect(stdout).not.toMatch(/jane/i);
});

test.each([
  ['nobody', ['--reason', 'x']],
  ['two at once', ['--subject', 'a', '--match', 'abc', '--reason', 'x']],
  ['no reason', ['--subject', 'a']],
])('erase that names %s is refused', async (_, args) => {
  expect(errorOf(await pawl('erase', ...args, '--yes', '--json'))).toMatchObject({ type: 'Usage' });
});

test('a policy of the home can keep people from erasing', async () => {
  mkdirSync(join(home, 'policies'), { recursive: true });
  const own = join(home, 'policies', 'own.cedar');
  writeFileSync(
    own,
    '@id("no-erasing")\n@because("legal asks first")\nforbid (principal, action == Action::"erase", resource);\n',
  );
  const ran = await pawl('erase', '--subject', 'jane', '--reason', 'x', '--yes', '--json');
  rmSync(own);
  expect(errorOf(ran)).toMatchObject({ type: 'NotAllowed', message: expect.stringContaining('legal asks first') });
  expect(readdirSync(join(home, 'policies'))).toEqual([]);
});
