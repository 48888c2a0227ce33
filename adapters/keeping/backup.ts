/**
 * A copy of a home that serves and works while it is made.
 *
 * 1. The order is Temporal, then the store, then the log, then the artifacts. A workflow that is restored to a moment before
 *    the store's repeats its last effects, and the store answers their keys as it did the first time. The other way round
 *    a workflow would go on from effects that the restored store has never seen, and they would be lost.
 * 2. Each database is one state of itself: SQLite's own backup in one step, under one read lock.
 * 3. Artifacts are copied last and never change, and nothing is cleared out meanwhile (the same lock as gc): whatever the
 *    copied store and the copied histories name is there. For the store that is looked up at the end, in the copy.
 * 4. A backup under its final name is whole. Private keys are in it only when somebody asks for them.
 */
import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import type { ServiceConfig } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import { homePaths } from '../home.ts';
import { storeFailure } from '../sqlite/store-failure.ts';
import { filesBelow, isHalfWritten } from './leftovers.ts';
import { keeping } from './lock.ts';
import { digestOfFile, MANIFEST, MANIFEST_DIGEST, type Manifest, manifestText, TREE } from './manifest.ts';
import { ledgerNames, neededFrom, withControl } from './needed.ts';
import { putBackAll } from './trash.ts';

export interface BackupOrder {
  readonly home: string;
  readonly into: string;
  readonly services: readonly ServiceConfig[];
  readonly withKeys: boolean;
  /** Goes on without artifacts that are named and missing or damaged, and says which. */
  readonly incomplete: boolean;
  readonly now: () => number;
  readonly tell?: (line: string) => void;
}

export interface BackupReport {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly bytes: number;
}

/** All pages in one step: in smaller ones it would begin anew at each write of another process. */
const ALL_PAGES = 2 ** 31 - 1;

export const backup = (order: BackupOrder): Promise<BackupReport> =>
  keeping(homePaths(order.home).state, 'run `pawl backup`', async () => {
    const into = resolve(order.into);
    refuseTaken(into);
    const temporary = `${into}.${randomUUID()}.tmp`;
    try {
      const manifest = await copy(order, temporary);
      refuseTaken(into);
      await rename(temporary, into);
      return { folder: into, manifest, bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) };
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw storeFailure(into, error);
    }
  });

const refuseTaken = (into: string): void => {
  if (!existsSync(into)) return;
  throw new PawlError('Refused', `${into} is there already.`, {
    hint: 'A backup never overwrites anything: name a folder that does not exist, such as one with the date in its name.',
  });
};

const copy = async (order: BackupOrder, temporary: string): Promise<Manifest> => {
  const { home, tell = () => undefined } = order;
  const tree = join(temporary, TREE);
  const [from, to] = [homePaths(home), homePaths(tree)];
  await mkdir(to.state, { recursive: true });
  await chmod(temporary, 0o700); // It holds what people asked for, and may hold keys.

  const temporal = join(from.state, 'temporal.db');
  if (existsSync(temporal)) {
    tell("copying Temporal's database");
    await databaseInto(temporal, join(to.state, 'temporal.db'));
  }
  tell('copying the store');
  withControl(from.control, () => undefined);
  await databaseInto(from.control, to.control);
  if (existsSync(from.metrics)) {
    tell('copying the log of served queries');
    await databaseInto(from.metrics, to.metrics);
  }
  for (const name of await databasesIn(from.documents)) {
    tell(`copying the documents in ${name}`);
    await mkdir(to.documents, { recursive: true });
    await databaseInto(join(from.documents, name), join(to.documents, name));
  }

  await putBackAll(from.artifacts);
  await copyTree(from.artifacts, to.artifacts, tell);
  tell('looking whether everything is there');
  const missing: string[] = [];
  const names = ledgerNames(to.control);
  await neededFrom(to.artifacts, names, new Set(), (error, digest) => {
    if (!order.incomplete) throw incompleteError(error);
    missing.push(digest);
  });
  const outside = await copyConfiguration(order, tree);
  if (order.withKeys) await copyTree(from.keys, to.keys, tell, 0o600);
  await writeFile(join(to.state, '.gitignore'), '*\n');

  const manifest: Manifest = {
    format: 'pawl-backup/1',
    madeAt: new Date(order.now()).toISOString(),
    home: resolve(home),
    schema: { control: schemaOf(to.control), metrics: existsSync(to.metrics) ? schemaOf(to.metrics) : null },
    ledger: { rows: names.seq, checkpoint: checkpointOf(to.control) },
    temporal: existsSync(temporal) ? 'inside' : 'elsewhere',
    keys: order.withKeys,
    missing: [...new Set(missing)].sort(),
    outside,
    files: await listed(tree, tell),
  };
  const { text, line } = manifestText(manifest);
  await writeFile(join(temporary, MANIFEST), text, { flush: true });
  await writeFile(join(temporary, MANIFEST_DIGEST), line, { flush: true });
  return manifest;
};

/** Indexes over them are left out: a gateway builds them anew. */
export const databasesIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.db')).sort();

const databaseInto = async (from: string, to: string): Promise<void> => {
  const db = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
  try {
    await copyDatabase(db, to, { rate: ALL_PAGES });
  } finally {
    db.close();
  }
  // Alone in one file: the copy of a database with a write-ahead log would otherwise make one at the first look.
  const made = new DatabaseSync(to);
  try {
    made.exec('PRAGMA journal_mode = DELETE');
    const { integrity_check: found } = made.prepare('PRAGMA integrity_check').get() ?? {};
    if (found !== 'ok') {
      throw new PawlError('Unavailable', `${from} is damaged: ${found}`, {
        hint: 'Stop Pawl and keep a copy of the file. An older backup may hold what is left of it.',
      });
    }
  } finally {
    made.close();
  }
  await chmod(to, 0o600);
  await synced(to);
};

/** Files that were never whole stay behind. */
const copyTree = async (from: string, to: string, tell: (line: string) => void, mode = 0o644): Promise<void> => {
  let files = 0;
  for await (const { path } of filesBelow(from)) {
    const name = relative(from, path);
    if (name.split(/[\\/]/).some(isHalfWritten)) continue;
    if (++files % 100 === 0) tell(`${files} files copied`);
    await copyOne(path, join(to, name), mode);
  }
};

const copyOne = async (from: string, to: string, mode = 0o644): Promise<void> => {
  await mkdir(dirname(to), { recursive: true, mode: mode === 0o600 ? 0o700 : 0o755 });
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, mode);
  await synced(to);
};

/** What a person wrote, and the data that it names, where they lie in the home. Answers with what lies outside. */
const copyConfiguration = async ({ home, services }: BackupOrder, tree: string): Promise<string[]> => {
  const { config, people, ledgerKey, services: folder } = homePaths(home);
  const outside: string[] = [];
  for (const file of [config, people, ledgerKey]) {
    if (existsSync(file)) await copyOne(file, join(tree, relative(home, file)));
  }
  for (const part of [folder, join(home, 'policies')]) {
    await copyTree(part, join(tree, relative(home, part)), () => undefined);
  }
  for (const { data } of services) {
    for (const file of [data.corpus, data.queries, ...Object.values(data.judgements)]) {
      if (file === undefined) continue;
      const name = relative(resolve(home), resolve(file));
      if (name.startsWith('..') || isAbsolute(name)) outside.push(file);
      else if (existsSync(file)) await copyOne(file, join(tree, name));
    }
  }
  return [...new Set(outside)].sort();
};

const listed = async (tree: string, tell: (line: string) => void): Promise<Manifest['files']> => {
  const files: Manifest['files'] = [];
  for await (const { path, bytes } of filesBelow(tree)) {
    if (files.length % 100 === 0) tell(`${files.length} files listed`);
    files.push({ path: relative(tree, path).replaceAll('\\', '/'), bytes, sha256: await digestOfFile(path) });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
};

const schemaOf = (path: string): number =>
  withControl(path, (db) => Number(db.prepare('PRAGMA user_version').get()?.user_version));

/** The signed head of the ledger, where the store has one: stores of the first schema have none. */
const checkpointOf = (control: string): string | null =>
  withControl(control, (db) => {
    const table = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'ledger_head'").get();
    const head = table && db.prepare('SELECT checkpoint FROM ledger_head').get();
    return typeof head?.checkpoint === 'string' ? head.checkpoint : null;
  });

const synced = async (path: string): Promise<void> => {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
};

const incompleteError = (error: PawlError): PawlError =>
  new PawlError(error.type, error.message, {
    hint: 'Nothing was written. Put it back from an older backup, or add --incomplete to go on without it.',
    cause: error,
  });
