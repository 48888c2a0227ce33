/**
 * Removes from a home what nothing needs.
 *
 * 1. What the ledger or the registry names is never removed, nor what that names: gold, champion, arms, evidence, and
 *    every variant that was ever registered among it.
 * 2. Nor is anything younger than the safe age, or younger than the oldest cycle that has not ended: its artifacts are
 *    named by its history in Temporal only.
 * 3. What cannot be read may name anything: an error comes before the first removal.
 * 4. The row in the ledger is written before the first removal. Killed in between, it names what the next run puts back
 *    and removes itself; killed at any other moment, nothing goes without a row.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import { FLEET } from '../../contracts/ids.ts';
import type { Actor } from '../../contracts/traffic.ts';
import { trashPath } from '../artifacts/paths.ts';
import type { ArtifactStore } from '../artifacts/port.ts';
import type { ControlStore } from '../control/port.ts';
import { CONTROL_MIGRATIONS } from '../control/schema.ts';
import type { HomePaths } from '../home.ts';
import { loadVariant } from '../lexical/variant.ts';
import { openDatabase } from '../sqlite/database.ts';
import { type FoundFile, filesBelow, halfWrittenFolders, indexNames, isHalfWritten, removeOld } from './leftovers.ts';
import { keeping } from './lock.ts';
import { ledgerNames, neededFrom } from './needed.ts';
import { type OldRows, oldRows, removeOldRows } from './store-rows.ts';
import { isYoung, moveAside, putBack, putBackAll, removeForGood } from './trash.ts';

export interface GcDeps {
  readonly paths: Pick<HomePaths, 'state' | 'control' | 'artifacts' | 'evidence' | 'indexes'>;
  readonly control: ControlStore;
  readonly artifacts: ArtifactStore;
  readonly services: readonly ServiceConfig[];
  readonly now: () => number;
}

export interface GcOrder {
  /** The safe age. */
  readonly olderThanMs: number;
  readonly dryRun: boolean;
  readonly actor: Actor;
  readonly reason: string;
  /** Tells how far it is. */
  readonly tell?: (line: string) => void;
  /** For a test: something happens between looking and moving, or between moving and looking again. */
  readonly meanwhile?: (moment: 'looked' | 'moved' | 'told') => Promise<void>;
}

interface Part {
  readonly files: number;
  readonly bytes: number;
}

export interface GcReport {
  readonly dryRun: boolean;
  /** All that lies in the home's state of these kinds, before. */
  readonly total: Part;
  readonly artifacts: Part;
  readonly halfWritten: Part;
  readonly indexes: Part;
  readonly rows: OldRows;
  /** Artifacts that nothing names, and that are too young to go. */
  readonly tooYoung: number;
  /** Digests of the artifacts. */
  readonly digests: readonly string[];
}

/** The guardian writes its rows by and by: a cycle may be at work before the ledger says that it was admitted. */
const ADMISSION_MS = 3_600_000;
/** More digests than this stand in a list of their own, and the row names the list. */
const DIGESTS_IN_ROW = 200;

export const gc = (deps: GcDeps, order: GcOrder): Promise<GcReport> =>
  keeping(deps.paths.state, 'run `pawl gc`', () => clear(deps, order));

const clear = async (deps: GcDeps, order: GcOrder): Promise<GcReport> => {
  const { paths, now } = deps;
  const { tell = () => undefined, meanwhile = async () => undefined } = order;
  await putBackAll(paths.artifacts);

  tell('reading the ledger');
  const names = ledgerNames(paths.control);
  const cutoff = Math.min(now() - order.olderThanMs, (names.openSince ?? Number.POSITIVE_INFINITY) - ADMISSION_MS);
  tell(`following ${names.digests.size} names`);
  const needed = await neededFrom(paths.artifacts, names);
  tell('looking at the files');
  const found = await look(deps, needed, cutoff);
  const rows = storeRows(deps, names.openSince, 'count');
  const report = reportOf(order.dryRun, found, rows);
  if (order.dryRun) return report;

  await meanwhile('looked');
  const moved: FoundFile[] = [];
  for (const file of found.artifacts) {
    const digest = digestOf(file);
    if (await isYoung(file.path, cutoff).catch(() => true)) continue;
    if (await moveAside(paths.artifacts, digest)) moved.push(file);
  }
  try {
    await meanwhile('moved');
    tell('looking again');
    const since = ledgerNames(paths.control);
    const neededNow = await neededFrom(paths.artifacts, since, needed);
    const going: FoundFile[] = [];
    for (const file of moved) {
      const digest = digestOf(file);
      if (neededNow.has(digest) || (await isYoung(trashPath(paths.artifacts, digest), cutoff))) {
        await putBack(paths.artifacts, digest);
      } else going.push(file);
    }
    const done = reportOf(false, { ...found, artifacts: going }, rows);
    if (isEmpty(done)) return done;
    await note(deps, order, done);
    await meanwhile('told');
    for (const file of going) await removeForGood(paths.artifacts, digestOf(file));
    for (const { path } of [...found.halfWritten, ...found.indexes]) await removeOld(path, cutoff);
    return { ...done, rows: storeRows(deps, since.openSince, 'remove') };
  } finally {
    await putBackAll(paths.artifacts); // Nothing is left there, unless something went wrong.
  }
};

interface Found {
  readonly total: Part;
  readonly artifacts: readonly FoundFile[];
  readonly halfWritten: readonly FoundFile[];
  readonly indexes: readonly FoundFile[];
  readonly tooYoung: number;
}

const look = async (deps: GcDeps, needed: ReadonlySet<string>, cutoff: number): Promise<Found> => {
  const { paths, services } = deps;
  const all: FoundFile[] = [];
  const artifacts: FoundFile[] = [];
  const halfWritten: FoundFile[] = [];
  const indexes: FoundFile[] = [];
  let tooYoung = 0;
  for await (const file of filesBelow(join(paths.artifacts, 'sha256'))) {
    all.push(file);
    if (isHalfWritten(file.name)) {
      if (file.mtimeMs < cutoff) halfWritten.push(file);
    } else if (/^[0-9a-f]{64}$/.test(file.name) && !needed.has(file.name)) {
      if (file.mtimeMs < cutoff) artifacts.push(file);
      else tooYoung++;
    }
  }
  halfWritten.push(...(await halfWrittenFolders(paths.evidence, cutoff)));
  const used = await indexNames(services, await recipesOf(deps));
  for await (const file of filesBelow(paths.indexes)) {
    all.push(file);
    if (file.mtimeMs >= cutoff) continue;
    if (isHalfWritten(file.name)) halfWritten.push(file);
    else if (/^[0-9a-f]{64}\.db$/.test(file.name) && !used.has(file.name)) indexes.push(file);
  }
  return { total: sum(all), artifacts, halfWritten, indexes, tooYoung };
};

/** Any registered variant may serve again: by a rollback, as gold, by hand. */
const recipesOf = async ({ control, artifacts }: GcDeps): Promise<ReadonlySet<string>> => {
  const recipes = new Set<string>();
  for (const service of await control.services()) {
    for (const variant of await control.variants(service)) {
      // One of another version, or of a service's own kind, has no index that this version builds.
      const content = await loadVariant(artifacts, variant).catch(() => null);
      if (content) recipes.add(content.recipe);
    }
  }
  return recipes;
};

const storeRows = ({ paths, now }: GcDeps, openSince: number | null, what: 'count' | 'remove'): OldRows => {
  const database = openDatabase({ path: paths.control, migrations: CONTROL_MIGRATIONS, synchronous: 'FULL' });
  try {
    return (what === 'count' ? oldRows : removeOldRows)(database, { now: now(), openSince });
  } finally {
    database.close();
  }
};

const note = async ({ control, artifacts }: GcDeps, order: GcOrder, report: GcReport): Promise<void> => {
  const { digests, artifacts: gone, halfWritten, indexes, rows } = report;
  const list: ArtifactRef | null = digests.length > DIGESTS_IN_ROW ? await artifacts.putJson(digests) : null;
  await control.note({
    key: `gc/${randomUUID()}`,
    service: FLEET,
    cycle: null,
    kind: 'gc',
    actor: order.actor,
    reason: order.reason,
    body: {
      olderThanMs: order.olderThanMs,
      artifacts: gone,
      halfWritten,
      indexes,
      rows,
      ...(list ? { list } : { digests }),
    },
  });
};

const reportOf = (dryRun: boolean, found: Found, rows: OldRows): GcReport => ({
  dryRun,
  total: found.total,
  artifacts: sum(found.artifacts),
  halfWritten: sum(found.halfWritten),
  indexes: sum(found.indexes),
  rows,
  tooYoung: found.tooYoung,
  digests: found.artifacts.map(digestOf).sort(),
});

const isEmpty = ({ artifacts, halfWritten, indexes, rows }: GcReport): boolean =>
  artifacts.files + halfWritten.files + indexes.files + rows.answers + rows.nonces === 0;
const sum = (files: readonly FoundFile[]): Part => ({
  files: files.length,
  bytes: files.reduce((bytes, file) => bytes + file.bytes, 0),
});
const digestOf = ({ path }: FoundFile): string => path.slice(-64);
