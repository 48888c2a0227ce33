import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { sqliteDocuments } from '../../adapters/documents/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { type BackupOrder, backup } from '../../adapters/keeping/backup.ts';
import { MANIFEST, MANIFEST_DIGEST, manifestText } from '../../adapters/keeping/manifest.ts';
import { type RestoreOrder, restore } from '../../adapters/keeping/restore.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { servicesOf } from '../../adapters/service/services.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { keptHome, SERVICE } from './home.ts';

type Home = Awaited<ReturnType<typeof keptHome>>;

const backedUp = async (home: Home, over: Partial<BackupOrder> = {}) => {
  const into = join(temporaryFolder(), 'backup');
  const services = await servicesOf(home.home, null).all();
  const order = { home: home.home, into, services, withKeys: false, incomplete: false, now: Date.now };
  return backup({ ...order, ...over });
};
const restored = (backup: string, over: Partial<RestoreOrder> = {}) =>
  restore({
    backup,
    into: join(temporaryFolder(), 'home'),
    keys: null,
    armed: null,
    actor: { kind: 'person', name: 'ada' },
    ...over,
  });
const controlOf = (home: string) => {
  const control = sqliteControl(homePaths(home).control);
  onTestFinished(() => control.close());
  return control;
};
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

/** A home in which something has happened. */
const usedHome = async () => {
  const home = await keptHome();
  const dataset = await home.artifacts.putJson({ corpus: 'a' });
  await home.note({ body: { evidence: await home.artifacts.putJson({ dataset }) } });
  await home.artifacts.putJson({ inFlight: 'named by a history of Temporal only' });
  writeFileSync(join(home.home, 'people.json'), '{ "people": [] }');
  const log = sqliteQueryLog(home.paths.metrics);
  await log.append([
    { at: 1, service: SERVICE, variant: home.champion, query: 'q', ranked: [], latencyMs: 1, error: null, cost: 0 },
  ]);
  log.close();
  return home;
};

describe('backup', () => {
  test('a restored home holds what the home held: rows, keys that were answered, artifacts, people, configuration', async () => {
    const home = await usedHome();
    const { folder } = await backedUp(home);
    const made = await restored(folder, { armed: async () => true });
    const control = controlOf(made.home);
    const rows = await home.control.ledger({});
    expect((await control.ledger({})).slice(0, rows.length)).toEqual(rows);
    expect(await control.state(SERVICE)).toEqual(await home.control.state(SERVICE));
    expect(made.findings).toEqual([]);
    // A key of the past gets its first answer, and no second row.
    const { key } = rows.find(({ kind }) => kind === 'arm')?.body ?? {};
    const again = { key: String(key), service: SERVICE, actor: { kind: 'person', name: 'ada' }, reason: 'because' };
    const before = (await control.ledger({})).length;
    expect(await control.arm(again)).toMatchObject({ outcome: 'done', state: { epoch: 0 } });
    expect(await control.ledger({})).toHaveLength(before);

    const same = (name: string) =>
      expect(readFileSync(join(made.home, name))).toEqual(readFileSync(join(home.home, name)));
    for (const name of ['pawl.yaml', 'people.json', 'corpus.jsonl', 'queries.jsonl', 'live.tsv']) same(name);
    const artifacts = filesIn(home.paths.artifacts).filter((name) => name.startsWith('sha256'));
    expect(filesIn(homePaths(made.home).artifacts)).toEqual(artifacts);
    const log = sqliteQueryLog(homePaths(made.home).metrics);
    expect(await log.read({ service: SERVICE, from: 0, to: 9 })).toHaveLength(1);
    log.close();
  });

  test('documents that were put by hand come back, with what was said of them', async () => {
    const home = await usedHome();
    const path = (of: string) => join(homePaths(of).documents, `${SERVICE}.db`);
    const document = {
      id: 'note',
      title: 'Note',
      text: 'put by hand',
      format: 'text',
      metadata: { year: 2026 },
    } as const;
    const store = sqliteDocuments(path(home.home));
    await store.put('acme', [document], 'hand');
    const { folder } = await backedUp(home);
    store.close();
    const made = await restored(folder);
    const again = sqliteDocuments(path(made.home));
    onTestFinished(() => again.close());
    expect(await again.get('acme', 'note')).toEqual(document);
  });

  test('private keys stay out, unless somebody asks for them', async () => {
    const home = await usedHome();
    const keys = (files: readonly { path: string }[]) => files.filter(({ path }) => path.startsWith('.pawl/keys/'));
    const without = await backedUp(home);
    expect(keys(without.manifest.files)).toEqual([]);
    const pem = readFileSync(join(home.paths.keys, 'ledger.pem'), 'utf8');
    for (const name of filesIn(without.folder))
      expect(readFileSync(join(without.folder, name), 'utf8')).not.toContain(pem);
    const { folder, manifest } = await backedUp(home, { withKeys: true });
    expect(keys(manifest.files)).toHaveLength(1);
    const made = await restored(folder);
    expect(made.ledgerKey).toBe(true);
    expect(statSync(join(homePaths(made.home).keys, 'ledger.pem')).mode & 0o777).toBe(0o600);
  });

  test('keys that were kept apart are given back with --keys, before the first new row is signed', async () => {
    const home = await usedHome();
    const { folder } = await backedUp(home);
    const made = await restored(folder, { keys: home.paths.keys });
    expect(await controlOf(made.home).ledgerKey()).toBe(await home.control.ledgerKey());
    expect(made.ledgerKey).toBe(true);
    const without = await restored(folder);
    expect(without.ledgerKey).toBe(false);
    expect(await controlOf(without.home).ledger({ kind: 'ledger key changed' })).toHaveLength(1);
  });

  test('an existing folder is never overwritten, and a backup that fails leaves nothing', async () => {
    const home = await usedHome();
    const parent = temporaryFolder();
    mkdirSync(join(parent, 'there'));
    await expect(backedUp(home, { into: join(parent, 'there') })).rejects.toMatchObject({ type: 'Refused' });
    expect(filesIn(parent)).toEqual([]);
    const named = await home.artifacts.putJson({ named: true });
    await home.note({ body: { named } });
    rmSync(home.fileOf(named));
    const into = join(parent, 'new');
    await expect(backedUp(home, { into })).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining(named.sha256),
      hint: expect.stringContaining('--incomplete'),
    });
    expect(readdirSync(parent)).toEqual(['there']);
    const { manifest } = await backedUp(home, { into, incomplete: true });
    expect(manifest.missing).toEqual([named.sha256]);
  });

  test('gc waits for nobody: while a backup is made it is refused', async () => {
    const home = await usedHome();
    let refused: unknown;
    const tell = () => {
      refused ??= home.gc().catch((error: unknown) => error);
    };
    await backedUp(home, { tell });
    expect(await refused).toMatchObject({ type: 'Refused' });
  });

  test('what the home reaches by a link is in the backup, and a link in a circle is no trap', async () => {
    const home = await usedHome();
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, 'own.cedar'), '// ours');
    symlinkSync(elsewhere, join(elsewhere, 'circle'));
    symlinkSync(elsewhere, join(home.home, 'policies'));
    const { manifest } = await backedUp(home);
    expect(manifest.files.map(({ path }) => path).filter((path) => path.startsWith('policies'))).toEqual([
      'policies/own.cedar',
    ]);
  });

  test('what pawl.yaml names outside the home is not in the backup, and the manifest says so', async () => {
    const home = await usedHome();
    const elsewhere = join(temporaryFolder(), 'corpus.jsonl');
    writeFileSync(elsewhere, readFileSync(join(home.home, 'corpus.jsonl')));
    const yaml = readFileSync(home.paths.config, 'utf8');
    writeFileSync(home.paths.config, yaml.replace('"corpus.jsonl"', JSON.stringify(elsewhere)));
    expect((await backedUp(home)).manifest.outside).toEqual([elsewhere]);
  });
});

describe('restore', () => {
  test('the services come back killed, on gold, and no token of the past moves traffic', async () => {
    const home = await usedHome();
    const granted = await home.control.grant({ ...home.order(), cycle: 'si_2026_11_01_001' });
    const other = await home.addVariant({ stemming: true });
    const { folder } = await backedUp(home);
    const made = await restored(folder);
    const control = controlOf(made.home);
    expect(await control.fleetKilled()).toBe(true);
    expect(made.services).toMatchObject([{ latch: 'killed', epoch: 1, arms: [{ variant: home.champion, share: 1 }] }]);
    const token = { epoch: granted.state?.epoch ?? -1, promotion: granted.state?.promotion ?? -1 };
    const arms = [{ variant: other, share: 1 }];
    const shift = await control.shift({ ...home.order(), cycle: 'si_2026_11_01_001', token, arms });
    expect(shift).toMatchObject({ outcome: 'refused' });
    expect(await control.ledger({ kind: 'restored' })).toHaveLength(1);
    // The home that was backed up goes on as it was.
    expect(await home.control.fleetKilled()).toBe(false);
  });

  test('--armed leaves the latches as they were', async () => {
    const { folder } = await backedUp(await usedHome());
    expect((await restored(folder, { armed: async () => true })).services).toMatchObject([
      { latch: 'armed', epoch: 0 },
    ]);
  });

  test('a folder that is not empty is refused, and stays as it was', async () => {
    const { folder } = await backedUp(await usedHome());
    const into = temporaryFolder();
    writeFileSync(join(into, 'mine.txt'), 'mine');
    await expect(restored(folder, { into })).rejects.toMatchObject({ type: 'Refused' });
    expect(readdirSync(into)).toEqual(['mine.txt']);
  });

  test('one byte changed in any file, or any file missing, is told by its name, and nothing is written', async () => {
    const { folder, manifest } = await backedUp(await usedHome());
    const into = join(temporaryFolder(), 'home');
    const refused = async (name: string) => {
      await expect(restored(folder, { into })).rejects.toMatchObject({
        type: expect.stringMatching(/DigestMismatch|NotFound/),
        message: expect.stringContaining(name),
      });
      expect(existsSync(into)).toBe(false);
    };
    const files = [MANIFEST, MANIFEST_DIGEST, ...manifest.files.map(({ path }) => join('home', path))];
    for (const name of files) {
      const path = join(folder, name);
      const whole = readFileSync(path);
      const at = Math.floor(whole.length / 2);
      writeFileSync(
        path,
        Buffer.concat([whole.subarray(0, at), Buffer.from([~(whole[at] ?? 0) & 0xff]), whole.subarray(at + 1)]),
      );
      await refused(name);
      rmSync(path);
      await refused(name);
      writeFileSync(path, whole);
    }
    await restored(folder, { into });
  });

  test.each(['../../evil', '/etc/evil', '.pawl/../../evil', 'a\\..\\evil', 'C:/evil'])(
    'abuse 31: a manifest that names %s is refused, and nothing is written',
    async (path) => {
      const { folder, manifest } = await backedUp(await usedHome());
      const { text, line } = manifestText({ ...manifest, files: [{ ...manifest.files[0], path } as never] });
      writeFileSync(join(folder, MANIFEST), text);
      writeFileSync(join(folder, MANIFEST_DIGEST), line);
      const into = join(temporaryFolder(), 'home');
      await expect(restored(folder, { into })).rejects.toMatchObject({ type: 'ConfigInvalid' });
      expect(existsSync(into)).toBe(false);
    },
  );

  test('a home without its gold is refused: it could not be killed', async () => {
    const home = await usedHome();
    const other = await home.addVariant({ stemming: true });
    await home.control.setGold({ ...home.order(), variant: other });
    rmSync(home.fileOf({ sha256: other }));
    const { folder } = await backedUp(home, { incomplete: true });
    const into = join(temporaryFolder(), 'home');
    await expect(restored(folder, { into })).rejects.toMatchObject({ type: 'NotFound' });
    expect(existsSync(join(into, 'pawl.yaml'))).toBe(false); // No home: nothing can serve from it.
  });

  test('what the backup holds beyond its manifest is left behind', async () => {
    const { folder } = await backedUp(await usedHome());
    writeFileSync(join(folder, 'home', 'planted.txt'), 'planted');
    const { home } = await restored(folder);
    expect(existsSync(join(home, 'planted.txt'))).toBe(false);
  });
});

test("Temporal's database is older than the store in every backup, and the artifacts are younger than both", async () => {
  const home = await usedHome();
  const temporal = new DatabaseSync(join(home.paths.state, 'temporal.db'));
  temporal.exec('CREATE TABLE histories (moment TEXT)');
  onTestFinished(() => temporal.close());
  const during: string[] = [];
  const artifacts: Array<Promise<{ sha256: string }>> = [];
  // At every moment of the backup something happens: a workflow notes that it will act, acts, and leaves an artifact.
  const tell = (moment: string) => {
    if (!moment.startsWith('copying')) return;
    during.push(moment);
    temporal.prepare('INSERT INTO histories VALUES (?)').run(moment);
    void home.note({ reason: moment });
    artifacts.push(home.artifacts.putJson({ moment }));
  };
  const { folder, manifest } = await backedUp(home, { tell });
  const [beforeTemporal = '', beforeStore = ''] = during;
  const copy = new DatabaseSync(join(folder, 'home', '.pawl', 'temporal.db'), { readOnly: true });
  const inTemporal = copy
    .prepare('SELECT moment FROM histories')
    .all()
    .map(({ moment }) => moment);
  copy.close();
  const { home: made } = await restored(folder);
  const inStore = (await controlOf(made).ledger({ kind: 'noted' })).map(({ reason }) => reason);
  expect(inTemporal).toEqual([beforeTemporal]);
  expect(inStore).toEqual(expect.arrayContaining([beforeTemporal, beforeStore]));
  expect(inStore).toHaveLength(3); // And the row of a used home.
  const [first, second] = await Promise.all(artifacts);
  for (const ref of [first, second])
    expect(manifest.files.some(({ path }) => path.endsWith(ref?.sha256 ?? ' '))).toBe(true);
});

test('a backup of a store that is being written is one state of it', async () => {
  const home = await usedHome();
  let going = true;
  const writing = (async () => {
    while (going) {
      await home.note({});
      await new Promise(setImmediate);
    }
  })();
  const { folder, manifest } = await backedUp(home);
  going = false;
  await writing;
  const db = new DatabaseSync(join(folder, 'home', '.pawl', 'control.db'), { readOnly: true });
  expect(db.prepare('SELECT count(*) AS rows, max(seq) AS last FROM ledger').get()).toEqual({
    rows: manifest.ledger.rows,
    last: manifest.ledger.rows,
  });
  db.close();
  expect((await restored(folder)).findings).toEqual([]);
});
