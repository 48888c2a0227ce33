import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import { PawlError } from '../contracts/failures.ts';
import type { Checkpointed } from '../contracts/lora.ts';
import { checkpointName } from '../ml/train/checkpoint.ts';

/** What no second try brings back: the checkpoint before it must do. */
const LOST: ReadonlySet<string> = new Set(['NotFound', 'DigestMismatch']);

/**
 * Writes the first of these checkpoints that is whole into a folder, where the trainer finds it; answers with which. null
 * where none was named; an error where all that were named are lost.
 */
export const restored = async (
  artifacts: Pick<ArtifactStore, 'get'>,
  newestFirst: readonly Checkpointed[],
  folder: string,
): Promise<Checkpointed | null> => {
  const lost: string[] = [];
  for (const one of newestFirst) {
    try {
      await writeFile(join(folder, checkpointName(one.step)), await artifacts.get(one.checkpoint));
      return one;
    } catch (error) {
      if (!(error instanceof PawlError) || !LOST.has(error.type)) throw error;
      lost.push(`step ${one.step}: ${error.message}`);
    }
  }
  if (lost.length === 0) return null;
  throw new PawlError('DigestMismatch', `No checkpoint of this fine-tune is whole. ${lost.join('; ')}`, {
    hint: 'Start it anew: with the same data, plan and seed it takes the same steps.',
  });
};
