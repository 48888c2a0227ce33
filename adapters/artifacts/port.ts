import type { ArtifactRef } from '../../contracts/artifact.ts';

/**
 * Content-addressed bytes. Putting the same bytes twice gives the same reference and writes once; an artifact appears
 * whole or not at all; what `get` returns has the digest that was asked for, or it is an error of type DigestMismatch.
 */
export interface ArtifactStore {
  put(bytes: Uint8Array | string): Promise<ArtifactRef>;
  putJson(value: unknown): Promise<ArtifactRef>;
  get(ref: ArtifactRef): Promise<Buffer>;
  getJson(ref: ArtifactRef): Promise<unknown>;
  has(ref: ArtifactRef): Promise<boolean>;
}
