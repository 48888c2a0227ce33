/**
 * A home made from a backup.
 *
 * 1. Nothing is written before every file of the backup was held against its digest, and nothing is written over.
 * 2. pawl.yaml comes last: a folder in which a restore was cut short is no home, and nothing serves from it.
 * 3. It comes back with its past: keys that were answered are answered the same, tokens that were used stay used.
 * 4. It comes back killed, unless somebody says that the old home is gone: the home that was backed up may still serve,
 *    and the restored Temporal holds cycles that would go on by themselves. The kill raises every service's epoch in
 *    the store before there is a home to serve from, so that no cycle of the past can move traffic, here or ever.
 */
import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { FLEET } from '../../contracts/ids.ts';
import type { Actor, ServiceState } from '../../contracts/traffic.ts';
import { folderArtifacts } from '../artifacts/folder.ts';
import type { ControlStore } from '../control/port.ts';
import { sqliteControl } from '../control/sqlite.ts';
import { homePaths } from '../home.ts';
import type { Finding } from '../ledger/audit.ts';
import { auditStore } from '../ledger/audit-store.ts';
import { readPinnedKey } from '../ledger/pinned-key.ts';
import { sqliteQueryLog } from '../query-log/sqlite.ts';
import { databasesIn } from './backup.ts';
import { checkedBackup, digestOfFile, type Manifest, TREE } from './manifest.ts';
import { withControl } from './needed.ts';

export interface RestoreOrder {
  readonly backup: string;
  readonly into: string;
  /** A folder with the private keys, where the backup has none. */
  readonly keys: string | null;
  /**
   * Asked when everything is in its place; true leaves the latches as they were, for the home that was backed up is gone
   * for good. null: nobody wants that.
   */
  readonly armed: (() => Promise<boolean>) | null;
  readonly actor: Actor;
  readonly tell?: (line: string) => void;
}

export interface RestoreReport {
  readonly home: string;
  readonly manifest: Manifest;
  readonly services: readonly ServiceState[];
  /** What was served when the backup was made. */
  readonly champions: Readonly<Record<string, string | null>>;
  /** Whether the key is there that signed the ledger until now. */
  readonly ledgerKey: boolean;
  readonly findings: readonly Finding[];
}

export const restore = async (order: RestoreOrder): Promise<RestoreReport> => {
  const { tell = () => undefined } = order;
  const home = resolve(order.into);
  await refuseFull(home);
  const manifest = await checkedBackup(order.backup, tell);
  const paths = homePaths(home);
  const tree = join(order.backup, TREE);

  tell('copying');
  const isState = ({ path }: Manifest['files'][number]): boolean => path.startsWith('.pawl/');
  await copyAll(tree, home, manifest.files.filter(isState));
  if (order.keys !== null) await copyKeys(order.keys, paths.keys);
  for (const database of ['control.db', 'metrics.db', 'temporal.db']) wholeDatabase(join(paths.state, database));
  for (const name of await databasesIn(paths.documents)) wholeDatabase(join(paths.documents, name));

  tell('reading the ledger');
  const ledgerKey = existsSync(join(paths.keys, 'ledger.pem'));
  const control = sqliteControl(paths.control);
  try {
    if (existsSync(paths.metrics)) sqliteQueryLog(paths.metrics).close(); // Brought forward, like the store.
    const key = await readPinnedKey(join(tree, basename(paths.ledgerKey)));
    const { findings } = await auditStore({ control, key });
    const before = await statesOf(control);
    await refuseWithout(paths.artifacts, control, before);
    await tellLedger(control, order, manifest);
    if (order.armed === null) await kill(control, order, manifest);
    await copyAll(
      tree,
      home,
      manifest.files.filter((file) => !isState(file)),
    );
    if (order.armed !== null && !(await order.armed())) await kill(control, order, manifest);
    const services = await statesOf(control);
    const champions = Object.fromEntries(before.map(({ service, champion }) => [service, champion]));
    return { home, manifest, services, champions, ledgerKey, findings };
  } finally {
    control.close();
  }
};

const refuseFull = async (home: string): Promise<void> => {
  const found = await readdir(home).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new PawlError('Usage', `${home} is no folder: ${error.message}`, { cause: error });
  });
  if (found.length === 0) return;
  throw new PawlError('Refused', `${home} is not empty: it holds ${found.slice(0, 3).join(', ')}.`, {
    hint: 'Nothing was written. A backup is restored into an empty folder, never over something.',
  });
};

/** In the order of the manifest, but what makes it a home last. */
const copyAll = async (tree: string, home: string, files: Manifest['files']): Promise<void> => {
  const last = ({ path }: Manifest['files'][number]): number => Number(basename(path) === 'pawl.yaml');
  for (const { path, sha256 } of [...files].sort((a, b) => last(a) - last(b))) {
    const to = join(home, path);
    const secret = path.startsWith('.pawl/keys/');
    await mkdir(dirname(to), { recursive: true, mode: secret ? 0o700 : 0o755 });
    await copyFile(join(tree, path), to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    await chmod(to, secret ? 0o600 : 0o644);
    // What was checked is what was copied.
    if ((await digestOfFile(to)) !== sha256) throw new PawlError('DigestMismatch', `${to} was not copied whole.`);
  }
};

const copyKeys = async (from: string, to: string): Promise<void> => {
  await mkdir(to, { recursive: true, mode: 0o700 });
  const names = (await readdir(from)).filter((name) => /\.(pem|key)$/.test(name));
  if (names.length === 0) throw new PawlError('NotFound', `${from} holds no key (*.pem, *.key).`);
  for (const name of names) {
    await copyFile(join(from, name), join(to, name));
    await chmod(join(to, name), 0o600);
  }
};

const wholeDatabase = (path: string): void => {
  if (!existsSync(path)) return;
  const found = withControl(path, (db) => db.prepare('PRAGMA integrity_check').get()?.integrity_check);
  if (found !== 'ok')
    throw new PawlError('Unavailable', `${path} is damaged: ${found}`, { hint: 'Take another backup.' });
};

const statesOf = async (control: ControlStore): Promise<ServiceState[]> => {
  const states = await Promise.all((await control.services()).map((service) => control.state(service)));
  return states.filter((state) => state !== null);
};

/** What may serve must be there whole; a home without its gold could not even be killed. */
const refuseWithout = async (folder: string, control: ControlStore, states: readonly ServiceState[]): Promise<void> => {
  const artifacts = folderArtifacts(folder);
  for (const { champion, gold, arms } of states) {
    for (const id of new Set([champion, gold, ...arms.map(({ variant }) => variant)])) {
      const variant = id === null ? null : await control.variant(id);
      if (variant) await artifacts.get(variant.artifact);
    }
  }
};

const tellLedger = async (control: ControlStore, order: RestoreOrder, manifest: Manifest): Promise<void> => {
  const { madeAt, ledger, files, missing, home: from } = manifest;
  const body = { madeAt, from, ledger, files: files.length, missing };
  const entry = { actor: order.actor, reason: reasonOf(manifest), body };
  await control.note({ key: `restore/${randomUUID()}`, service: FLEET, cycle: null, kind: 'restored', ...entry });
};

const kill = async (control: ControlStore, { actor }: RestoreOrder, manifest: Manifest): Promise<void> => {
  await control.killAll({ key: `restore/${randomUUID()}/kill`, actor, reason: reasonOf(manifest) });
};

const reasonOf = ({ madeAt }: Manifest): string => `restored from a backup of ${madeAt}`;
