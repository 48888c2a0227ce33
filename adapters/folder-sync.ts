import { open } from 'node:fs/promises';

/** A new name is safe from a power cut once its folder is. */
export const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === 'win32') return; // Windows has no handle on a folder to sync.
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
