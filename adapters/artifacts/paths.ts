/** Where the bytes of a digest lie in a folder of artifacts. */
import { join } from 'node:path';

export const artifactPath = (folder: string, digest: string): string =>
  join(folder, 'sha256', digest.slice(0, 2), digest);

/** Where a file waits that may go; see adapters/keeping/sweep.ts. On the same disk, so that moving it is a rename. */
export const trashFolder = (folder: string): string => join(folder, '.trash');
/** What an erased artifact leaves: the row of the ledger that says so (adapters/keeping/erase.ts). */
export const tombstonePath = (folder: string, digest: string): string => join(folder, '.erased', digest);
export const trashPath = (folder: string, digest: string): string => join(trashFolder(folder), digest);
