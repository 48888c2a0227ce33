/**
 * The head as a signed note (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), so that tools of others can check it:
 * origin, size and root on three lines, an empty line, and the signature.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** In the note formats: an Ed25519 key. */
const ED25519 = 0x01;
const VKEY = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/;
const CHECKPOINT = /^(\S+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n\n((?:— \S+ [A-Za-z0-9+/]+=*\n)*)$/;

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** In hex. */
  readonly root: string;
}

export interface NoteKey {
  /** The note verifier key: name, id and public key on one line. */
  readonly vkey: string;
  readonly publicKey: KeyObject;
}

/** The id under which a signature names its key. */
const idOf = (name: string, raw: Buffer): Buffer =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), raw]), 'buffer').subarray(0, 4);

/** Both halves of a key give the same public bytes. */
const rawOf = (key: KeyObject): Buffer => Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url');

export const vkeyOf = (name: string, key: KeyObject): string => {
  const raw = rawOf(key);
  return `${name}+${idOf(name, raw).toString('hex')}+${Buffer.concat([Buffer.of(ED25519), raw]).toString('base64')}`;
};

/** null: this is no verifier key of an Ed25519 key, or its id is not its own. */
export const readVkey = (text: string): NoteKey | null => {
  const vkey = text.trim();
  const [, name = '', id, encoded = ''] = VKEY.exec(vkey) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== 33 || bytes[0] !== ED25519) return null;
  const raw = bytes.subarray(1);
  if (idOf(name, raw).toString('hex') !== id) return null;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') };
  return { vkey, publicKey: createPublicKey({ format: 'jwk', key: jwk }) };
};

const bodyOf = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n`;

/** Without a key it carries no signature, which a reader sees. */
export const signedCheckpoint = (head: Checkpoint, key: { privateKey: KeyObject; vkey: string } | null): string => {
  const body = bodyOf(head);
  if (!key) return `${body}\n`;
  const [name = '', id = ''] = key.vkey.split('+');
  const signature = Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(body), key.privateKey)]);
  return `${body}\n— ${name} ${signature.toString('base64')}\n`;
};

export type Signature = 'good' | 'none' | 'of another key' | 'false';

export interface OpenedCheckpoint extends Checkpoint {
  signature(vkey: NoteKey): Signature;
}

/** null: this is no checkpoint. */
export const openCheckpoint = (text: string): OpenedCheckpoint | null => {
  const [, origin = '', size, root = '', signatures = ''] = CHECKPOINT.exec(text) ?? [];
  if (size === undefined) return null;
  const head = { origin, size: Number(size), root: Buffer.from(root, 'base64').toString('hex') };
  return { ...head, signature: (key) => signatureOf(bodyOf(head), signatures, key) };
};

const signatureOf = (body: string, signatures: string, { vkey, publicKey }: NoteKey): Signature => {
  if (signatures === '') return 'none';
  const [name = '', id = ''] = vkey.split('+');
  for (const line of signatures.trimEnd().split('\n')) {
    const [, signer, encoded = ''] = line.split(' ');
    const bytes = Buffer.from(encoded, 'base64');
    if (signer !== name || bytes.subarray(0, 4).toString('hex') !== id) continue;
    return verify(null, Buffer.from(body), publicKey, bytes.subarray(4)) ? 'good' : 'false';
  }
  return 'of another key';
};
