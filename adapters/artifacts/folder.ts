/**
 * 1. A file under its final name is whole and on the disk: written beside it, synced, renamed, folder synced.
 * 2. Nobody gets bytes whose digest was not checked in this very read.
 * 3. Putting bytes that are there already makes the file young again: whoever clears out what is old and unnamed
 *    (adapters/keeping) leaves it alone. A file that was just moved aside is still found.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { PawlError } from '../../contracts/failures.ts';
import { syncFolder } from '../folder-sync.ts';
import { artifactPath, tombstonePath, trashPath } from './paths.ts';
import type { ArtifactStore } from './port.ts';
import { digestIn, jsonText, refOf, sha256 } from './reference.ts';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

export const folderArtifacts = (folder: string): ArtifactStore => {
  const pathOf = (digest: string): string => artifactPath(folder, digest);

  const read = async (path: string): Promise<Buffer | null> => {
    try {
      return await readFile(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw unreadable(path, error);
    }
  };

  /** Between being moved aside and being put back, an artifact is in the trash for a moment. */
  const find = async (path: string, digest: string): Promise<Buffer | null> =>
    (await read(path)) ?? (await read(trashPath(folder, digest))) ?? (await read(path));

  const get = async (ref: ArtifactRef): Promise<Buffer> => {
    const path = pathOf(digestIn(ref));
    const bytes = await find(path, ref.sha256);
    if (!bytes) {
      const stone = await read(tombstonePath(folder, ref.sha256));
      if (stone) throw erased(ref.sha256, stone);
      throw new PawlError('NotFound', `There is no artifact ${ref.sha256} in ${folder}`, {
        hint: 'Copy it from the machine that made it, or run the cycle again.',
      });
    }
    const found = sha256(bytes);
    if (found !== ref.sha256) {
      throw new PawlError('DigestMismatch', `${path} should have the digest ${ref.sha256}, but has ${found}`, {
        hint: 'The file was changed or damaged: restore it from a backup, or remove it and make the artifact again.',
      });
    }
    return bytes;
  };

  const put = async (content: Uint8Array | string): Promise<ArtifactRef> => {
    const bytes = Buffer.from(content);
    const digest = sha256(bytes);
    const path = pathOf(digest);
    const present = await read(path);
    // A damaged file is replaced by the bytes that it should have held.
    const kept = present !== null && sha256(present) === digest && (await renew(path));
    if (!kept) await write(path, bytes);
    return refOf(digest);
  };

  return {
    put,
    get,
    putJson: async (value) => put(jsonText(value)),
    getJson: async (ref) => JSON.parse((await get(ref)).toString('utf8')),
    has: async (ref) => (await find(pathOf(digestIn(ref)), ref.sha256)) !== null,
  };
};

const erased = (digest: string, stone: Buffer): PawlError => {
  const { row, at } = JSON.parse(stone.toString('utf8')) as { row: number; at: string };
  return new PawlError('NotFound', `The artifact ${digest} was erased on ${at} by row ${row} of the ledger`, {
    hint: 'It held what a person asked, and cannot come back; what was decided by it stands in the ledger.',
  });
};

/** Makes a file young, also after a power cut; false when it was moved away meanwhile. */
const renew = async (path: string): Promise<boolean> => {
  try {
    const now = new Date();
    await utimes(path, now, now);
    const file = await open(path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw unreadable(path, error);
  }
};

const write = async (path: string, bytes: Buffer): Promise<void> => {
  const folder = dirname(path);
  const temporary = join(folder, `.${randomUUID()}.tmp`);
  try {
    const made = await mkdir(folder, { recursive: true });
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolders(folder, made);
  } catch (error) {
    await rm(temporary, { force: true });
    if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') {
      throw new PawlError('DiskFull', `No space left for an artifact of ${bytes.length} bytes in ${folder}`, {
        hint: 'Nothing was written. Free some space; the work goes on by itself.',
        cause: error,
      });
    }
    throw unreadable(path, error);
  }
};

/** A folder that was just made is safe once its parent is. */
const syncFolders = async (folder: string, firstMade: string | undefined): Promise<void> => {
  const last = firstMade === undefined ? folder : dirname(firstMade);
  for (let at = folder; ; at = dirname(at)) {
    await syncFolder(at);
    if (at === last || at === dirname(at)) return;
  }
};

const unreadable = (path: string, cause: unknown): PawlError =>
  new PawlError('Unavailable', `${path} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, {
    hint: 'Check that the folder belongs to the user who runs Pawl, and that its disk is healthy.',
    cause,
  });
