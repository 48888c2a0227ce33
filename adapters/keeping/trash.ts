/**
 * How an artifact goes while others write.
 *
 * 1. It is moved aside first, and looked at again there: whoever put the same bytes before the move has made the file
 *    young, and whoever puts them after it writes a file of its own. Only a file that is still old, and still unnamed,
 *    is removed; any other is put back.
 * 2. Putting back never replaces a file: what lies under the name by then is the same bytes, and younger.
 * 3. A process that dies in the middle leaves whole files in the trash; the next one puts them all back before it looks.
 */
import { link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { artifactPath, trashFolder, trashPath } from '../artifacts/paths.ts';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const unless = (code: string) => (error: unknown) => {
  if (codeOf(error) !== code) throw error;
};

/** False when it is gone already. */
export const moveAside = async (folder: string, digest: string): Promise<boolean> => {
  await mkdir(trashFolder(folder), { recursive: true });
  try {
    await rename(artifactPath(folder, digest), trashPath(folder, digest));
    return true;
  } catch (error) {
    unless('ENOENT')(error);
    return false;
  }
};

export const isYoung = async (path: string, cutoff: number): Promise<boolean> => (await stat(path)).mtimeMs >= cutoff;

export const putBack = async (folder: string, digest: string): Promise<void> => {
  const path = artifactPath(folder, digest);
  await mkdir(dirname(path), { recursive: true });
  await link(trashPath(folder, digest), path).catch(unless('EEXIST'));
  await rm(trashPath(folder, digest), { force: true });
};

export const removeForGood = (folder: string, digest: string): Promise<void> =>
  rm(trashPath(folder, digest), { force: true });

/** What a process left that was killed. */
export const putBackAll = async (folder: string): Promise<number> => {
  const left = await readdir(trashFolder(folder)).catch((error: unknown) => {
    unless('ENOENT')(error);
    return [];
  });
  for (const digest of left) await putBack(folder, digest);
  return left.length;
};
