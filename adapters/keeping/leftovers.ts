/** Files that nothing names and that are made anew when they are missed: half-written ones, and indexes. */
import { createHash } from 'node:crypto';
import { glob, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceConfig } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import { indexKey } from '../lexical/recipe.ts';

export interface FoundFile {
  readonly path: string;
  readonly bytes: number;
}

interface AgedFile extends FoundFile {
  readonly name: string;
  readonly mtimeMs: number;
}

/** Every file below a folder, with its size and age. Links are followed, each folder once. */
export async function* filesBelow(folder: string, seen: Set<string> = new Set()): AsyncGenerator<AgedFile> {
  const real = await realpath(folder).catch(unlessAbsent);
  if (real === null || seen.has(real)) return;
  seen.add(real);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(unlessAbsent); // Others tidy up too.
    if (found?.isDirectory()) yield* filesBelow(path, seen);
    else if (found?.isFile()) yield { name, path, bytes: found.size, mtimeMs: found.mtimeMs };
  }
}

const unlessAbsent = (error: NodeJS.ErrnoException): null => {
  if (error.code === 'ENOENT') return null;
  throw error;
};

/** A name that a writer gives a file until it is whole. Its writer has long ended when it is old. */
export const isHalfWritten = (name: string): boolean => name.endsWith('.tmp');

/** Folders of evidence that were never whole: `<service>/.<name>.tmp`. */
export const halfWrittenFolders = async (evidence: string, cutoff: number): Promise<FoundFile[]> => {
  const folders: FoundFile[] = [];
  for await (const name of glob('*/.*.tmp', { cwd: evidence })) {
    const path = join(evidence, name);
    const found = await stat(path).catch(() => null);
    if (!found?.isDirectory() || found.mtimeMs >= cutoff) continue;
    let bytes = 0;
    for await (const file of filesBelow(path)) bytes += file.bytes;
    folders.push({ path, bytes });
  }
  return folders;
};

/** Names of the index files that a gateway would open: each corpus as it is now, by each recipe of a variant. */
export const indexNames = async (
  services: readonly ServiceConfig[],
  recipes: ReadonlySet<string>,
): Promise<ReadonlySet<string>> => {
  const names = new Set<string>();
  for (const { service, data } of services) {
    const bytes = await readFile(data.corpus).catch((cause: unknown) => {
      throw new PawlError('ConfigInvalid', `The corpus of ${service}, ${data.corpus}, cannot be read.`, {
        hint: 'Nothing was removed: its indexes could not be told from old ones. Put the corpus back first.',
        cause,
      });
    });
    const corpus = createHash('sha256').update(bytes).digest('hex');
    for (const recipe of recipes) names.add(`${indexKey(corpus, recipe)}.db`);
  }
  return names;
};

/** Removes what is still as old as it was; false when it is not. */
export const removeOld = async (path: string, cutoff: number): Promise<boolean> => {
  const found = await stat(path).catch(() => null);
  if (!found || found.mtimeMs >= cutoff) return false;
  await rm(path, { force: true, recursive: true });
  return true;
};
