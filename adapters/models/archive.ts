/**
 * A zip file that anyone may have made, read as far as a wheel needs it: stored and deflated files, no encryption, no
 * zip64. What is listed holds: no name wanders, none stands twice, none is a link, and what is taken out has the length
 * and the checksum that it was listed with.
 */
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { PawlError } from '../../contracts/failures.ts';
import { refuseWandering } from './model-files.ts';
import { openPlain } from './plain-file.ts';

export interface ArchivedFile {
  readonly path: string;
  readonly length: number;
  readonly method: 'stored' | 'deflated';
  readonly crc: number;
  readonly compressed: number;
  /** Of its local header. */
  readonly at: number;
}
export interface Archive {
  readonly file: string;
  readonly files: readonly ArchivedFile[];
}

const END = 0x06054b50;
const END_LENGTH = 22;
const LISTED = 0x02014b50;
const LISTED_LENGTH = 46;
const LOCAL = 0x04034b50;
const LOCAL_LENGTH = 30;
const MAX_FILES = 10_000;
const MAX_LIST = 16 * 2 ** 20;
const METHODS: Readonly<Record<number, ArchivedFile['method']>> = { 0: 'stored', 8: 'deflated' };

export const openArchive = async (path: string): Promise<Archive> => {
  const file = await openPlain(path);
  try {
    const { size } = await file.stat();
    const { count, at, length } = await endOf(path, file, size);
    if (count > MAX_FILES || length > MAX_LIST || at + length > size) throw unfit(path, 'its list of files is broken');
    return { file: path, files: listed(path, await bytesAt(file, at, length), count) };
  } finally {
    await file.close();
  }
};

/** The content of one file; fails at its end when it is not what was listed. */
export async function* contentOf(archive: Archive, entry: ArchivedFile): AsyncGenerator<Uint8Array> {
  const { file: path } = archive;
  const start = await dataOf(archive, entry);
  const raw = createReadStream(path, { start, end: start + entry.compressed - 1 });
  let length = 0;
  let crc = 0;
  try {
    if (entry.compressed > 0) {
      for await (const chunk of entry.method === 'stored' ? raw : raw.pipe(createInflateRaw())) {
        length += chunk.length;
        if (length > entry.length) throw unfit(path, `${entry.path} is longer than it says`);
        crc = crc32(chunk, crc);
        yield chunk;
      }
    }
  } catch (cause) {
    throw cause instanceof PawlError ? cause : unfit(path, `${entry.path} cannot be unpacked`, cause);
  } finally {
    raw.destroy();
  }
  if (length !== entry.length || crc !== entry.crc)
    throw unfit(path, `${entry.path} is not what it was when it was packed`);
}

const endOf = async (path: string, file: FileHandle, size: number) => {
  const length = Math.min(size, END_LENGTH + 0xffff);
  const tail = await bytesAt(file, size - length, length);
  for (let at = length - END_LENGTH; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END || at + END_LENGTH + tail.readUInt16LE(at + 20) !== length) continue;
    const end = {
      count: tail.readUInt16LE(at + 10),
      length: tail.readUInt32LE(at + 12),
      at: tail.readUInt32LE(at + 16),
    };
    if (end.count === 0xffff || end.at === 0xffffffff) throw unfit(path, 'it is of the kind for more than 4 GiB');
    return end;
  }
  throw unfit(path, 'it has no list of files');
};

const listed = (path: string, list: Buffer, count: number): ArchivedFile[] => {
  const names = new Set<string>();
  const files: ArchivedFile[] = [];
  let at = 0;
  for (let n = 0; n < count; n++) {
    if (at + LISTED_LENGTH > list.length || list.readUInt32LE(at) !== LISTED) throw unfit(path, 'its list is broken');
    const entry = listedAt(path, list, at);
    refuseWandering(path, entry.path);
    if (names.has(entry.path)) throw unfit(path, `it lists ${entry.path} twice`);
    names.add(entry.path);
    if (!entry.path.endsWith('/')) files.push(entry);
    at += LISTED_LENGTH + list.readUInt16LE(at + 28) + list.readUInt16LE(at + 30) + list.readUInt16LE(at + 32);
  }
  return files;
};

const listedAt = (archive: string, list: Buffer, at: number): ArchivedFile => {
  const path = list.toString('utf8', at + LISTED_LENGTH, at + LISTED_LENGTH + list.readUInt16LE(at + 28));
  const mode = list.readUInt8(at + 5) === UNIX ? list.readUInt32LE(at + 38) >>> 16 : 0;
  if ((mode & 0o170000) === 0o120000) throw unfit(archive, `${path} is a link`);
  if (list.readUInt16LE(at + 8) & 1) throw unfit(archive, `${path} is encrypted`);
  const method = METHODS[list.readUInt16LE(at + 10)];
  if (method === undefined) throw unfit(archive, `${path} is packed in a way that no wheel is`);
  const [crc, compressed] = [list.readUInt32LE(at + 16), list.readUInt32LE(at + 20)];
  return { path, method, crc, compressed, length: list.readUInt32LE(at + 24), at: list.readUInt32LE(at + 42) };
};
/** The system that packed it; its upper byte of the attributes is a mode. */
const UNIX = 3;

/** The list and the file itself must agree on the name: other programs go by the one or the other. */
const dataOf = async ({ file: path }: Archive, entry: ArchivedFile): Promise<number> => {
  const file = await openPlain(path);
  try {
    const header = await bytesAt(file, entry.at, LOCAL_LENGTH);
    if (header.readUInt32LE(0) !== LOCAL) throw unfit(path, `${entry.path} is not where the list says`);
    const length = header.readUInt16LE(26);
    const name = await bytesAt(file, entry.at + LOCAL_LENGTH, length);
    if (name.toString('utf8') !== entry.path) throw unfit(path, `${entry.path} has another name where it lies`);
    return entry.at + LOCAL_LENGTH + length + header.readUInt16LE(28);
  } finally {
    await file.close();
  }
};

const bytesAt = async (file: FileHandle, at: number, length: number): Promise<Buffer> => {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, at);
  if (bytesRead < length) throw new PawlError('ConfigInvalid', 'The archive ends too early');
  return bytes;
};

const unfit = (path: string, why: string, cause?: unknown): PawlError =>
  new PawlError('ConfigInvalid', `${path} is no archive that Pawl takes a model from: ${why}`, {
    hint: 'Nothing was taken over. Get it again, or import the model from a folder.',
    ...(cause === undefined ? {} : { cause }),
  });
