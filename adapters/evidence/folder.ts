/**
 * A sealed folder of evidence: `<artifacts>/<service>/<cycle>/`.
 *
 * 1. It appears whole or not at all, and is never changed afterwards.
 * 2. Its files are copies of artifacts: whoever edits one here changes no artifact.
 * 3. A name in it is relative, and leads nowhere else.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { CYCLE_ID, SERVICE_NAME } from '../../contracts/ids.ts';
import { syncFolder } from '../folder-sync.ts';

export type Files = ReadonlyMap<string, Buffer>;

/** `evidence` is the folder under which services stand (homePaths). */
export const evidenceFolder = (evidence: string, service: string, cycle: string): string => {
  if (SERVICE_NAME.test(service) && CYCLE_ID.test(cycle)) return join(evidence, service, cycle);
  throw new PawlError('Usage', `${JSON.stringify(service)} and ${JSON.stringify(cycle)} name no folder of evidence.`);
};

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** Every file in it by its name, with `/` between its parts; null where there is no folder. */
export const readFolder = async (folder: string): Promise<Files | null> => {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const named = entries
      .filter((entry) => !entry.isDirectory())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const name = relative(folder, path).split(sep).join('/');
        // Nothing but a plain file was ever sealed: a link or a pipe in its place is not followed, and holds nothing.
        return [name, entry.isFile() ? await readFile(path) : Buffer.alloc(0)] as const;
      });
    return new Map((await Promise.all(named)).sort(([a], [b]) => (a < b ? -1 : 1)));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw failure(folder, error);
  }
};

/** Fails when the folder is there already; of two who write at once one is first. */
export const writeFolder = async (folder: string, files: Files): Promise<'written' | 'there already'> => {
  const parent = dirname(folder);
  const temporary = join(parent, `.${randomUUID()}.tmp`);
  try {
    const made = new Set<string>();
    for (const [name, bytes] of files) {
      const path = join(temporary, ...name.split('/'));
      await mkdir(dirname(path), { recursive: true });
      for (let at = dirname(path); at !== parent; at = dirname(at)) made.add(at);
      await writeSynced(path, bytes);
    }
    for (const one of made) await syncFolder(one);
    await rename(temporary, folder);
    await syncFolder(parent);
    return 'written';
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(String(codeOf(error))) && (await readFolder(folder)) !== null) {
      return 'there already';
    }
    throw failure(folder, error);
  }
};

const writeSynced = async (path: string, bytes: Buffer): Promise<void> => {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
};

const failure = (folder: string, cause: unknown): PawlError => {
  const full = ['ENOSPC', 'EDQUOT'].includes(String(codeOf(cause)));
  const message = cause instanceof Error ? cause.message : String(cause);
  return full
    ? new PawlError('DiskFull', `No space left for the evidence in ${folder}`, { hint: 'Free some space.', cause })
    : new PawlError('Unavailable', `${folder} cannot be used: ${message}`, {
        hint: 'Check that the folder belongs to the user who runs Pawl, and that its disk is healthy.',
        cause,
      });
};
