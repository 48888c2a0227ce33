import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { CorpusBytes } from '../adapters/lexical/corpus-bytes.ts';
import { PawlError } from '../contracts/failures.ts';

export interface CorpusFile {
  /** The corpus, when it is another than at the last look; a file that is still being written is left for later. */
  look(): Promise<CorpusBytes | null>;
}

export const createCorpusFile = (path: string): CorpusFile => {
  let known: { readonly stamp: string; readonly sha256: string } | null = null;
  let seen: string | null = null;
  let first = true;

  const stampOf = async (): Promise<string> => {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs].join(':');
  };

  const read = async (): Promise<CorpusBytes | null> => {
    const stamp = await stampOf();
    if (stamp === known?.stamp) return null;
    const stands = first || stamp === seen;
    seen = stamp;
    if (!stands) return null;
    const bytes = await readFile(path);
    if ((await stampOf()) !== stamp) return null;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const same = sha256 === known?.sha256;
    known = { stamp, sha256 };
    first = false;
    return same ? null : { sha256, bytes };
  };

  return {
    look: async () => {
      try {
        return await read();
      } catch (cause) {
        known = null; // Once it is back it is told anew, even with the content that it had.
        throw new PawlError('ConfigInvalid', `The corpus ${path} cannot be read: ${(cause as Error).message}`, {
          hint: 'Put the file back, or correct `data.corpus` in pawl.yaml.',
          cause,
        });
      }
    },
  };
};
