/**
 * Which artifacts somebody may still ask for: what the ledger and the registry name, and what those artifacts name.
 *
 * 1. It is an answer about everything, or an error: a row that cannot be read, a gap in the ledger, a named artifact that
 *    is missing or damaged could each hide a name.
 * 2. Rows that only tell what was removed name nothing that is to be kept.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { PawlError } from '../../contracts/failures.ts';
import { artifactPath, trashPath } from '../artifacts/paths.ts';
import { storeFailure } from '../sqlite/store-failure.ts';
import { merge, type Names, namesIn } from './names.ts';

export interface LedgerNames extends Names {
  /** The last row that was read. */
  readonly seq: number;
  /** Artifacts that were erased on purpose, by the row that says so. */
  readonly erased: Map<string, number>;
  /** When the oldest cycle was admitted that has not ended: what it made is named by nobody yet but Temporal. */
  readonly openSince: number | null;
}

/** What a row of the ledger looks like to whoever only looks for names. */
interface Row {
  readonly seq: number;
  readonly at: string;
  readonly service: string;
  readonly cycle: string | null;
  readonly kind: string;
  readonly body: string;
}

export const withControl = <T>(path: string, work: (db: DatabaseSync) => T): T => {
  if (!existsSync(path)) {
    throw new PawlError('NotFound', `There is no store at ${path}.`, {
      hint: 'Without its ledger nobody can say what is still needed. Put it back from a backup first.',
    });
  }
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    try {
      return work(db);
    } finally {
      db.close();
    }
  } catch (error) {
    throw storeFailure(path, error);
  }
};

export const ledgerNames = (control: string): LedgerNames =>
  withControl(control, (db) => {
    db.exec('BEGIN'); // One state of the store, whatever is written meanwhile.
    const names: Names = { digests: new Set(), refs: new Set() };
    const erased = new Map<string, number>();
    const open = new Map<string, number>();
    let seq = 0;
    for (const found of db.prepare('SELECT seq, at, service, cycle, kind, body FROM ledger ORDER BY seq').iterate()) {
      const row = found as unknown as Row;
      if (row.seq !== seq + 1) throw gap(control, seq + 1);
      seq = row.seq;
      if (row.kind === 'cycle admitted') open.set(`${row.service} ${row.cycle}`, Date.parse(row.at));
      if (row.kind === 'cycle ended') open.delete(`${row.service} ${row.cycle}`);
      if (row.kind === 'erased') for (const digest of goneIn(row)) erased.set(digest, row.seq);
      merge(names, row.kind === 'gc' || row.kind === 'erased' ? listsIn(row) : namesIn(Buffer.from(row.body)));
    }
    const services = db.prepare('SELECT count(*) AS n FROM services').get()?.n;
    if (seq === 0 || services === 0) throw empty(control);
    for (const { uri, sha256 } of db.prepare('SELECT uri, sha256 FROM variants').all()) {
      merge(names, namesIn(Buffer.from(JSON.stringify({ uri, sha256 }))));
    }
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'models'").get()) {
      for (const { uri, sha256 } of db.prepare('SELECT uri, sha256 FROM models').all()) {
        merge(names, namesIn(Buffer.from(JSON.stringify({ uri, sha256 }))));
      }
    }
    return { ...names, seq, erased, openSince: open.size === 0 ? null : Math.min(...open.values()) };
  });

/** What the ledger names, and what that names in turn. */
export const neededFrom = async (
  folder: string,
  { digests, refs, erased }: Pick<LedgerNames, 'digests' | 'refs' | 'erased'>,
  seen: ReadonlySet<string> = new Set(),
  trouble: (error: PawlError, digest: string) => void = raise,
): Promise<Set<string>> => {
  const needed = new Set(seen);
  const promised = new Set(refs);
  const queue = [...digests, ...refs];
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    if (needed.has(digest)) continue;
    const bytes = (await readIfThere(artifactPath(folder, digest))) ?? (await readIfThere(trashPath(folder, digest)));
    if (bytes === null) {
      if (promised.has(digest) && !erased.has(digest)) trouble(missing(folder, digest), digest);
      continue;
    }
    if (createHash('sha256').update(bytes).digest('hex') !== digest) {
      trouble(damaged(artifactPath(folder, digest)), digest);
      continue;
    }
    needed.add(digest);
    const inside = namesIn(bytes);
    for (const ref of inside.refs) promised.add(ref);
    for (const named of [...inside.digests, ...inside.refs]) if (!needed.has(named)) queue.push(named);
  }
  return needed;
};

const raise = (error: PawlError): never => {
  throw error;
};

const goneIn = ({ body }: Row): readonly string[] => {
  const { artifacts } = JSON.parse(body) as { artifacts?: readonly unknown[] };
  return (artifacts ?? []).filter((one) => typeof one === 'string');
};

/** The list of what went is an artifact itself, and stays. */
const listsIn = ({ body }: Row): Names => {
  const { list } = JSON.parse(body) as { list?: unknown };
  return namesIn(Buffer.from(JSON.stringify(list ?? null)));
};

const readIfThere = (path: string): Promise<Buffer | null> =>
  readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw new PawlError('Unavailable', `${path} cannot be read: ${cause.message}`, {
      hint: 'Check that the folder belongs to the user who runs Pawl, and that its disk is healthy.',
      cause,
    });
  });

const REFUSED = 'Nothing was done: what it names may be needed.';
const missing = (folder: string, digest: string): PawlError =>
  new PawlError('NotFound', `The artifact ${digest} is named, and is not in ${folder}.`, {
    hint: `${REFUSED} Put it back from a backup; \`pawl check\` lists everything that is missing.`,
  });
const damaged = (path: string): PawlError =>
  new PawlError('DigestMismatch', `${path} does not hold the bytes that its name promises.`, {
    hint: `${REFUSED} Put it back from a backup.`,
  });
const gap = (path: string, seq: number): PawlError =>
  new PawlError('Refused', `The ledger of ${path} has no row ${seq}, and has rows after it.`, {
    hint: 'Nothing was done. `pawl audit verify` says what else is wrong with it.',
  });
const empty = (path: string): PawlError =>
  new PawlError('Refused', `${path} knows no service, so it cannot say what is needed.`, {
    hint: 'Nothing was done. If this store was made anew, put the old one back from a backup.',
  });
