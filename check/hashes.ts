/**
 * The ledger's hashes and signatures, from their documents alone: canonical JSON (keys sorted by code unit, no white
 * space), the Merkle tree of RFC 6962, and the signed notes of C2SP.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { LedgerRow } from './evidence.ts';

/** What stands before the first row. */
export const NO_ROW = '0'.repeat(64);

const sha256 = (...parts: ReadonlyArray<string | Uint8Array>): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
export const sha256Hex = (bytes: string | Uint8Array): string => sha256(bytes).toString('hex');

export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`;
};

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** Over every field of the row that is part of the format; a column that came later is none of them. */
export const hashOf = ({ seq, at, service, cycle, kind, actor, reason, body, prev }: LedgerRow): string =>
  sha256(LEAF, canonical({ seq, at, service, cycle, kind, actor, reason, body, prev })).toString('hex');

/** Pairs level by level; what stands alone goes up as it is, which is the same tree as RFC 6962's largest power of two. */
export const rootOf = (leaves: readonly string[]): string => {
  let level: readonly Buffer[] = leaves.map((leaf) => Buffer.from(leaf, 'hex'));
  if (level.length === 0) return sha256('').toString('hex');
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, n) => {
      const [left = LEAF, right] = level.slice(2 * n, 2 * n + 2);
      return right ? sha256(NODE, left, right) : left;
    });
  }
  return level[0]?.toString('hex') ?? '';
};

/** The 32 raw bytes of an Ed25519 key. */
export const signedBy = (publicKey: Uint8Array, message: string | Uint8Array, signature: Uint8Array): boolean => {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  return signature.length === 64 && verify(null, Buffer.from(message), key, signature);
};

export interface NoteKey {
  readonly name: string;
  /** The first four bytes of the digest of name and key, in hex. */
  readonly id: string;
  readonly publicKey: Uint8Array;
}
const ED25519 = 1;

/** `<name>+<id>+<base64 of the algorithm and the key>`; null where the line is no key of this kind. */
export const noteKey = (line: string): NoteKey | null => {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\s*$/.exec(line) ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  if (name === undefined || id === undefined || bytes.length !== 33 || bytes[0] !== ED25519) return null;
  return sha256(`${name}\n`, bytes).subarray(0, 4).toString('hex') === id
    ? { name, id, publicKey: bytes.subarray(1) }
    : null;
};

export interface Checkpoint {
  readonly size: number;
  readonly root: string;
}
/** What a note says, if this key signed it; otherwise why not. */
export const openNote = (note: string, { name, id, publicKey }: NoteKey): Checkpoint | string => {
  const end = note.indexOf('\n\n');
  if (end < 0) return 'it is no signed note';
  const text = note.slice(0, end + 1);
  const signatures = note
    .slice(end + 2)
    .split('\n')
    .flatMap((line) => {
      const [, signer, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? [];
      const bytes = Buffer.from(encoded ?? '', 'base64');
      return signer === name && bytes.subarray(0, 4).toString('hex') === id ? [bytes.subarray(4)] : [];
    });
  if (signatures.length === 0) return `it is not signed by ${name}+${id}`;
  if (!signatures.every((signature) => signedBy(publicKey, text, signature)))
    return 'its signature is not that of its text';
  const [, size, root] = text.split('\n');
  return { size: Number(size), root: Buffer.from(root ?? '', 'base64').toString('hex') };
};
