import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Environment } from '../../infra/setup/environment.ts';
import { embeddedIndexes } from './embedded.ts';
import type { ChunkIndexes } from './port.ts';

/**
 * In the Qdrant of QDRANT_URL, which is loaded only then; otherwise in this folder. Collections bear the name of the home:
 * its one gateway takes the documents up, whether other homes share them or not.
 */
export const indexesOf = async ({ qdrant }: Pick<Environment, 'qdrant'>, folder: string): Promise<ChunkIndexes> => {
  if (qdrant === null) return embeddedIndexes(folder);
  const home = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 8);
  return (await import('./qdrant.ts')).qdrantIndexes({ ...qdrant, prefix: `pawl_${home}_` });
};
