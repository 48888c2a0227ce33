/**
 * Requests to one bucket.
 *
 * 1. Only what passes is tried again: no connection, a cut one, silence, 409, 429, and the server's own trouble. All
 *    requests may be repeated, for an object's name says what it holds.
 * 2. Every attempt is signed anew: one that waited would otherwise be too old.
 * 3. Redirects are not followed, and keys stand in no error.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { PawlError } from '../../contracts/failures.ts';
import { isPassing, refused, type S3Answer } from './s3-answer.ts';
import type { S3Location } from './s3-location.ts';
import { type S3Credentials, signed } from './s3-signature.ts';

export interface S3Deps {
  readonly location: S3Location;
  readonly credentials: S3Credentials;
  now(): number;
  /** Between two attempts. */
  pause?(ms: number): Promise<unknown>;
  /** So long the server may say nothing at all. */
  readonly silenceMs?: number;
  readonly attempts?: number;
}

export interface S3Request {
  readonly method: 'GET' | 'PUT';
  /** Below the prefix. */
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Of the body. */
  readonly sha256: string;
}

export type S3Client = (request: S3Request) => Promise<S3Answer>;

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
const CONNECT_MS = 5_000;
const SILENCE_MS = 30_000;
/** A line that carries less cannot be told from one that is stuck. */
const LEAST_BYTES_PER_MS = 250;

export const s3Client = (deps: S3Deps): S3Client => {
  const { location, credentials, now, pause = wait, silenceMs = SILENCE_MS, attempts = ATTEMPTS } = deps;
  const { endpoint, region, bucket, prefix } = location;
  let dispatcher: Dispatcher | null = null;

  const attempt = async ({ method, key, body, headers = {}, sha256 }: S3Request): Promise<S3Answer> => {
    const path = `/${[bucket, prefix, key].filter(Boolean).join('/')}`;
    const call = { method, origin: endpoint, path, headers, sha256 };
    const { url, headers: all } = signed(call, { credentials, region, now: now() });
    const upload = (body?.length ?? 0) / LEAST_BYTES_PER_MS;
    // Loaded when it is needed: most commands ask for no artifact.
    const { Agent, request } = await import('undici');
    dispatcher ??= new Agent({ connect: { timeout: CONNECT_MS }, bodyTimeout: silenceMs });
    const sent = await request(url, {
      dispatcher,
      method,
      headers: all,
      headersTimeout: silenceMs + upload,
      ...(body && { body }),
    });
    const received = Buffer.from(await sent.body.arrayBuffer());
    return { status: sent.statusCode, headers: sent.headers, body: received };
  };

  return async (asked) => {
    for (let made = 1; ; made += 1) {
      const answer = await attempt(asked).catch(fault);
      if (!(answer instanceof Error) && !isPassing(answer)) return answer;
      if (made >= attempts)
        throw answer instanceof Error ? unreachable(location, answer) : refused(answer, location, now());
      // Half of it by chance, so that many who were turned away do not come back together.
      await pause(FIRST_PAUSE_MS * 2 ** (made - 1) * (0.5 + Math.random() / 2));
    }
  };
};

type Fault = Error & { readonly code: unknown };

/** What happened on the way has a code; anything else is a defect of Pawl, and stays one. */
const fault = (error: unknown): Fault => {
  if (error instanceof Error && 'code' in error && error.code !== 'UND_ERR_INVALID_ARG') return error;
  throw error;
};

const unreachable = ({ endpoint }: S3Location, cause: Fault): PawlError =>
  new PawlError('Unavailable', `The artifacts at ${endpoint} cannot be reached: ${String(cause.code)}.`, {
    hint: 'See that the server of PAWL_ARTIFACTS runs and can be reached from here; the work goes on by itself.',
    cause,
  });
