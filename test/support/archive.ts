/** A zip file as a test wants it: right, or wrong in one way. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface Packed {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** What the file says of itself where it lies, if that is something else. */
  readonly pathInside?: string;
  readonly stored?: boolean;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly length?: number;
  /** As Unix has it: 0o120777 is a link. */
  readonly mode?: number;
}

const ENTRY = { signature: 0x02014b50, length: 46 };
const LOCAL = { signature: 0x04034b50, length: 30 };

export const archiveOf = (files: readonly Packed[]): Uint8Array => {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  let at = 0;
  for (const file of files) {
    const content = Buffer.from(file.content);
    const body = file.stored ? content : deflateRawSync(content);
    const common = Buffer.alloc(22);
    common.writeUInt16LE(file.flags ?? 0, 2);
    common.writeUInt16LE(file.method ?? (file.stored ? 0 : 8), 4);
    common.writeUInt32LE(file.crc ?? crc32(content), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(file.length ?? content.length, 18);

    const inside = Buffer.from(file.pathInside ?? file.path);
    const local = Buffer.alloc(LOCAL.length);
    local.writeUInt32LE(LOCAL.signature);
    common.copy(local, 4);
    local.writeUInt16LE(inside.length, 26);
    const name = Buffer.from(file.path);
    const entry = Buffer.alloc(ENTRY.length);
    entry.writeUInt32LE(ENTRY.signature);
    entry.writeUInt8(3, 5);
    common.copy(entry, 6);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(((file.mode ?? 0o100644) << 16) >>> 0, 38);
    entry.writeUInt32LE(at, 42);
    list.push(entry, name);
    parts.push(local, inside, body);
    at += local.length + inside.length + body.length;
  }
  const listed = Buffer.concat(list);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listed, end]);
};
