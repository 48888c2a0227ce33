/** The files of evidence as the artifacts have them: where homes share a store, the folder may lie in another one. */
import { type FailureType, PawlError } from '../../contracts/failures.ts';
import type { ArtifactStore } from '../artifacts/port.ts';
import { STATEMENT } from './files.ts';
import type { Files } from './folder.ts';
import { openStatement } from './statement.ts';

/** What cannot be had as it was sealed is left out, and so is found missing. */
export const sealedFiles = async (artifacts: Pick<ArtifactStore, 'get'>, statement: Buffer): Promise<Files> => {
  const found = openStatement(statement).subject.map(async ({ name, digest: { sha256 } }) => {
    const bytes = await artifacts.get({ uri: `artifact:sha256/${sha256}`, sha256 }).catch(nothing);
    return bytes === null ? [] : [[name, bytes] as const];
  });
  return new Map([...(await Promise.all(found)).flat(), [STATEMENT, statement]]);
};

const GONE: ReadonlySet<FailureType> = new Set(['NotFound', 'DigestMismatch']);
const nothing = (error: unknown): null => {
  if (error instanceof PawlError && GONE.has(error.type)) return null;
  throw error;
};
