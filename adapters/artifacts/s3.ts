/**
 * Artifacts in a bucket of S3, or of what speaks like it: for homes on more than one machine.
 *
 * 1. An object under its name is whole: the server takes it up only when its bytes have the digest that was signed.
 * 2. Nobody gets bytes whose digest was not checked in this very read.
 * 3. What is there is not written again; what is there and damaged is replaced by the bytes that it should have held.
 * 4. Nothing is ever removed.
 */
import { PawlError } from '../../contracts/failures.ts';
import type { ArtifactStore } from './port.ts';
import { digestIn, jsonText, refOf, sha256 } from './reference.ts';
import { isMissing, refused, type S3Answer } from './s3-answer.ts';
import { type S3Deps, s3Client } from './s3-client.ts';

const NOTHING = sha256(Buffer.alloc(0));
const IF_NEW = { 'if-none-match': '*' };
/** How a server says that it knows no conditions. */
const NOT_IMPLEMENTED = 501;
const PRECONDITION_FAILED = 412;

export const s3Artifacts = (deps: S3Deps): ArtifactStore => {
  const { location, now } = deps;
  const ask = s3Client(deps);
  const keyOf = (digest: string): string => `sha256/${digest.slice(0, 2)}/${digest}`;

  /** null: there is no such object. Asked with GET, for an answer to HEAD cannot say what it is that is missing. */
  const read = async (digest: string, headers?: Readonly<Record<string, string>>): Promise<S3Answer | null> => {
    const answer = await ask({ method: 'GET', key: keyOf(digest), sha256: NOTHING, ...(headers && { headers }) });
    return isMissing(answer) ? null : answer;
  };

  const accepted = ({ status }: S3Answer): boolean => status === 200 || status === 206;

  const get = async (digest: string): Promise<Buffer | null> => {
    const answer = await read(digest);
    if (answer && !accepted(answer)) throw refused(answer, location, now());
    return answer?.body ?? null;
  };

  const write = async (digest: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<S3Answer> => {
    const answer = await ask({ method: 'PUT', key: keyOf(digest), headers, body, sha256: digest });
    const isKnown = accepted(answer) || answer.status === PRECONDITION_FAILED || answer.status === NOT_IMPLEMENTED;
    if (isKnown) return answer;
    throw refused(answer, location, now());
  };

  const put = async (content: Uint8Array | string) => {
    const bytes = Buffer.from(content);
    const digest = sha256(bytes);
    const { status } = await write(digest, bytes, IF_NEW);
    const present = status === PRECONDITION_FAILED ? await get(digest) : null;
    const isThere = status === 200 || (present !== null && sha256(present) === digest);
    if (!isThere) {
      const answer = await write(digest, bytes, {});
      if (!accepted(answer)) throw refused(answer, location, now());
    }
    return refOf(digest);
  };

  const checked: ArtifactStore['get'] = async (ref) => {
    const digest = digestIn(ref);
    const bytes = await get(digest);
    if (bytes === null) {
      throw new PawlError('NotFound', `There is no artifact ${digest} in the bucket ${location.bucket}`, {
        hint: 'Copy it from the home that made it, or run the cycle again.',
      });
    }
    const found = sha256(bytes);
    if (found === digest) return bytes;
    const name = [location.bucket, location.prefix, keyOf(digest)].filter(Boolean).join('/');
    throw new PawlError('DigestMismatch', `${name} should have the digest ${digest}, but has ${found}`, {
      hint: 'The object was changed or damaged: restore an earlier version of it, or remove it and make the artifact again.',
    });
  };

  return {
    put,
    get: checked,
    putJson: async (value) => put(jsonText(value)),
    getJson: async (ref) => JSON.parse((await checked(ref)).toString('utf8')),
    has: async (ref) => {
      const answer = await read(digestIn(ref), { range: 'bytes=0-0' });
      // An empty object has no first byte, but is there.
      if (answer && !accepted(answer) && answer.status !== 416) throw refused(answer, location, now());
      return answer !== null;
    },
  };
};
