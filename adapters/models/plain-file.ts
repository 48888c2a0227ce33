/** Files that somebody else may have put there: read as what they are, never through a link. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { constants, type FileHandle, lstat, open } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PawlError } from '../../contracts/failures.ts';

/** The caller closes it. A link, a pipe or a device is refused, also one that takes a file's place in this moment. */
export const openPlain = async (path: string): Promise<FileHandle> => {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ELOOP' ? noPlainFile(path, 'a link') : unreadable(path, cause);
  });
  // Where there is no O_NOFOLLOW, the link is at least looked for.
  const linked = O_NOFOLLOW === 0 && (await lstat(path)).isSymbolicLink();
  if (!linked && (await file.stat()).isFile()) return file;
  await file.close();
  throw noPlainFile(path, linked ? 'a link' : 'no ordinary file');
};

export const digestOfFile = async (path: string): Promise<string> => {
  const file = await openPlain(path);
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
};

/** Writes a new file, onto the disk, and nothing beyond `limit`. */
export const writePlain = async (content: AsyncIterable<Uint8Array>, path: string, limit: number): Promise<void> => {
  let bytes = 0;
  const limited = new Transform({
    transform(chunk: Uint8Array, _, done) {
      bytes += chunk.length;
      if (bytes <= limit) done(null, chunk);
      else done(new PawlError('ConfigInvalid', `${path} would be longer than the ${limit} bytes that it may have`));
    },
  });
  try {
    await pipeline(Readable.from(content), limited, createWriteStream(path, { flags: 'wx', mode: 0o444, flush: true }));
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw unreadable(path, { message });
    throw new PawlError('DiskFull', `No space left for ${path}`, {
      hint: 'Nothing was imported. Free some space.',
      cause,
    });
  }
};

export const noPlainFile = (path: string, what: string): PawlError =>
  new PawlError('ConfigInvalid', `${path} is ${what}, and a model's files must be files`, {
    hint: 'A link can lead anywhere. Copy the folder with `cp -rL`, which puts files in the place of links, look at it, and import the copy.',
  });
const unreadable = (
  path: string,
  cause: { readonly message: string; readonly code?: string | undefined },
): PawlError =>
  cause.code === 'ENOENT'
    ? new PawlError('NotFound', `There is no file ${path}`, { cause })
    : new PawlError('Unavailable', `${path} cannot be used: ${cause.message}`, {
        hint: 'Check that it belongs to the user who runs Pawl, that its disk is healthy and the network there.',
        cause,
      });
