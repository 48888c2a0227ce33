import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is there for one piece of work. What a killed worker leaves of it is the system's to remove. */
export const inScratch = async <T>(work: (folder: (name: string) => Promise<string>) => Promise<T>): Promise<T> => {
  const root = await mkdtemp(join(tmpdir(), 'pawl-training-'));
  try {
    return await work(async (name) => {
      const folder = join(root, name);
      await mkdir(folder);
      return folder;
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};
