/** How an artifact is named, wherever its bytes lie. A name is made from 64 hex digits and nothing else that a reference says. */
import { createHash } from 'node:crypto';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { PawlError } from '../../contracts/failures.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';

const PREFIX = 'artifact:sha256/';
const DIGEST = /^[0-9a-f]{64}$/;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export const refOf = (digest: string): ArtifactRef => ({ uri: PREFIX + digest, sha256: digest });

/** Its digest; a reference that is none is refused. */
export const digestIn = ({ uri, sha256: digest }: ArtifactRef): string => {
  if (!DIGEST.test(digest) || uri !== PREFIX + digest) {
    throw new PawlError('Usage', `${JSON.stringify(uri)} with sha256 ${JSON.stringify(digest)} names no artifact`, {
      hint: `A reference reads ${PREFIX}<64 hex digits>, with the same digits in its sha256.`,
    });
  }
  return digest;
};

/** Equal values are one text. */
export const jsonText = (value: unknown): string => {
  try {
    return canonicalJson(value);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new PawlError('Usage', `The value is no artifact: ${message}`, { cause });
  }
};
