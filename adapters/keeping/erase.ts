/**
 * Takes out of a home what a person asked, so that the ledger still verifies.
 *
 * 1. The ledger never holds what people ask; its rows name evidence by digest. So evidence can go and every row stays as
 *    it was: a row of kind 'erased' says which digests went, and neither of whom nor which texts.
 * 2. The order is: that row, then the files, then the rows of the log. Cut short, it is repeated: the log still says what
 *    to look for, and what has gone already is named by a row.
 * 3. What was written meanwhile is found by a second look, which begins when the log holds nothing more of it.
 * 4. A variant stays: it holds settings. Corpora are not looked at: they hold documents.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, relative, sep } from 'node:path';
import { FLEET } from '../../contracts/ids.ts';
import type { Actor } from '../../contracts/traffic.ts';
import { tombstonePath } from '../artifacts/paths.ts';
import type { ControlStore } from '../control/port.ts';
import type { HomePaths } from '../home.ts';
import { type Asked, type AskedLog, askedInFile, type Wanted } from './asked.ts';
import { filesBelow } from './leftovers.ts';
import { keeping } from './lock.ts';
import { corporaIn, holds, jsonOf, type Texts, textsOf } from './texts.ts';
import { putBackAll } from './trash.ts';

export interface EraseDeps {
  readonly paths: Pick<HomePaths, 'state' | 'metrics' | 'artifacts' | 'evidence'>;
  readonly control: ControlStore;
  /** The log that homes share; absent: the home's own file, where there is one. */
  readonly openLog?: () => AskedLog;
  /** What a team wrote about its services: it is looked at, and left to them. */
  readonly ownFiles: readonly string[];
}

export interface EraseOrder {
  readonly wanted: Wanted;
  /** Stands in the ledger: it must not name the person. */
  readonly reason: string;
  readonly actor: Actor;
  readonly dryRun: boolean;
  readonly tell?: (line: string) => void;
}

export interface EraseReport {
  readonly dryRun: boolean;
  /** Served queries and judgements. What was told about an answer goes with it, and is not counted. */
  readonly rows: number;
  /** What was asked, for whoever looks before it goes; empty afterwards. */
  readonly texts: readonly string[];
  /** Digests of the files that hold it. */
  readonly artifacts: readonly string[];
  readonly files: number;
  /** Row of the ledger; null where nothing was found, or nothing was done. */
  readonly row: number | null;
  /** Files of the team's own that hold it, to be changed by hand. */
  readonly ownFiles: readonly string[];
}

interface Holding {
  readonly path: string;
  readonly digest: string;
}

export const erase = (deps: EraseDeps, order: EraseOrder): Promise<EraseReport> =>
  keeping(deps.paths.state, 'run `pawl erase`', async () => {
    const { paths } = deps;
    const { wanted, dryRun, tell = () => undefined } = order;
    await putBackAll(paths.artifacts);
    tell('reading the log of served queries');
    const asked = await withLog<readonly Asked[]>(deps, [], (log) => log.find(wanted));
    // A text may have left the log by its age, and still stand in evidence.
    const queries = [...asked.map(({ query }) => query), ...(wanted.by === 'query text' ? [wanted.text] : [])];
    const texts = textsOf(queries);
    tell('reading the evidence');
    const found = await holdingIn(deps, texts);
    const ownFiles = await ownFilesWith(deps, texts);
    const report = { rows: asked.length, files: found.length, artifacts: digestsOf(found), ownFiles };
    if (dryRun) return { ...report, dryRun, row: null, texts: [...new Set(queries)].sort() };
    if (asked.length + found.length === 0) return { ...report, dryRun, row: null, texts: [] };

    const row = await noted(deps, order, found, asked.length);
    tell('removing the evidence');
    for (const file of found) await remove(deps, file, row);
    tell('emptying the log of served queries');
    if (asked.length > 0) await forget(deps, wanted, asked);
    tell('looking again');
    const late = await holdingIn(deps, texts);
    const again = late.length === 0 ? null : await noted(deps, order, late, 0);
    for (const file of late) await remove(deps, file, again ?? row);
    const all = [...found, ...late];
    return { ...report, dryRun, row: row.seq, texts: [], files: all.length, artifacts: digestsOf(all) };
  });

const forget = (deps: EraseDeps, wanted: Wanted, asked: readonly Asked[]): Promise<void> =>
  withLog(deps, undefined, async (log) => {
    await log.remove(asked);
    // The gateway writes what it served a moment later.
    await log.remove(await log.find(wanted));
    await log.scrub();
  });

const withLog = async <T>(
  { paths, openLog }: EraseDeps,
  without: T,
  work: (log: AskedLog) => Promise<T>,
): Promise<T> => {
  if (!openLog && !existsSync(paths.metrics)) return without;
  const log = openLog ? openLog() : askedInFile(paths.metrics);
  try {
    return await work(log);
  } finally {
    log.close();
  }
};

/** Artifacts, and the files of sealed folders, which are copies of artifacts or made from them. */
const holdingIn = async ({ paths, control }: EraseDeps, texts: Texts): Promise<Holding[]> => {
  if (texts.phrases.length + texts.words.size === 0) return [];
  const skipped = await variantsOf(control);
  const found: Holding[] = [];
  const others: Holding[] = [];
  for (const folder of new Set([paths.artifacts, paths.evidence])) {
    for await (const { path, name } of filesBelow(folder)) {
      if (name.endsWith('.tmp') || relative(folder, path).startsWith(`.erased${sep}`)) continue;
      const bytes = await readFile(path).catch(() => null);
      if (!bytes) continue;
      const file = { path, digest: createHash('sha256').update(bytes).digest('hex') };
      const value = jsonOf(bytes.toString('utf8'));
      for (const corpus of corporaIn(value)) skipped.add(corpus);
      if (value === undefined) others.push(file);
      else if (holds(bytes, texts)) found.push(file);
    }
  }
  for (const file of others) {
    if (!skipped.has(file.digest) && holds(await readFile(file.path), texts)) found.push(file);
  }
  return found.filter(({ digest }) => !skipped.has(digest));
};

const variantsOf = async (control: ControlStore): Promise<Set<string>> => {
  const all = await Promise.all((await control.services()).map((service) => control.variants(service)));
  return new Set(all.flat().map(({ artifact }) => artifact.sha256));
};

const ownFilesWith = async ({ ownFiles }: EraseDeps, texts: Texts): Promise<string[]> => {
  const found: string[] = [];
  for (const path of new Set(ownFiles)) {
    const bytes = await readFile(path).catch(() => null);
    if (bytes && holds(bytes, texts)) found.push(path);
  }
  return found;
};

const noted = async (
  { control }: EraseDeps,
  { actor, reason, wanted }: EraseOrder,
  found: readonly Holding[],
  rows: number,
): Promise<{ seq: number; at: string }> => {
  const key = `erase/${randomUUID()}`;
  const body = { artifacts: digestsOf(found), files: found.length, rows, by: wanted.by };
  const { size } = await control.note({ key, service: FLEET, cycle: null, kind: 'erased', actor, reason, body });
  const rowsOf = await control.ledger({ kind: 'erased', service: FLEET, last: 5 });
  const row = rowsOf.find((one) => one.body.key === key);
  return { seq: row?.seq ?? size, at: row?.at ?? new Date().toISOString() };
};

/** An artifact leaves a tombstone, so that whoever asks for it hears why it is not there. */
const remove = async (
  { paths }: EraseDeps,
  { path, digest }: Holding,
  row: { readonly seq: number; readonly at: string },
): Promise<void> => {
  if (basename(path) === digest) {
    const stone = tombstonePath(paths.artifacts, digest);
    await mkdir(dirname(stone), { recursive: true });
    await writeFile(stone, JSON.stringify({ row: row.seq, at: row.at }));
  }
  await rm(path, { force: true });
};

const digestsOf = (found: readonly Holding[]): string[] => [...new Set(found.map(({ digest }) => digest))].sort();

/** Files that pawl.yaml names and that may hold what was asked. */
export const ownFilesOf = (services: ReadonlyArray<{ data: { queries: string } }>): string[] =>
  services.map(({ data }) => data.queries);
