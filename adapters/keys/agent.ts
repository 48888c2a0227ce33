/**
 * The ssh-agent as a keeper of keys (draft-ietf-sshm-ssh-agent). What an ssh-ed25519 key signs is a plain Ed25519 signature
 * over the data, so a token signed there verifies like any other.
 */
import { createHash } from 'node:crypto';
import { createConnection } from 'node:net';
import { PawlError } from '../../contracts/failures.ts';

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;

const ED25519 = 'ssh-ed25519';
const LONGEST_ANSWER = 1 << 20;
/** An agent may ask its owner before each signature. */
const PATIENCE_MS = 60_000;

export interface AgentKey {
  /** The 32 bytes in base64url. */
  readonly publicKey: string;
  readonly comment: string;
  /** As `ssh-add -l` shows it. */
  readonly fingerprint: string;
}

/** The Ed25519 keys of the agent; it may hold others, which cannot sign a token. */
export const agentKeys = async (socket: string): Promise<readonly AgentKey[]> => {
  const answer = reading(await ask(socket, Buffer.from([REQUEST_IDENTITIES]), IDENTITIES_ANSWER));
  return Array.from({ length: answer.number() }, () => ({ blob: answer.text(), comment: answer.text() })).flatMap(
    ({ blob, comment }) => {
      const publicKey = rawKeyOf(blob);
      return publicKey === null ? [] : [{ publicKey, comment: comment.toString(), fingerprint: fingerprintOf(blob) }];
    },
  );
};

/** By comment or fingerprint; where nothing is said, there must be only one. */
export const agentKeyNamed = (keys: readonly AgentKey[], which: string | null): AgentKey => {
  const list = keys.map(({ comment, fingerprint }) => `${comment} (${fingerprint})`).join(', ');
  const found = keys.filter(({ comment, fingerprint }) => which === null || comment === which || fingerprint === which);
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  const hint = keys.length === 0 ? 'Add one: `ssh-add ~/.ssh/id_ed25519`.' : `It holds: ${list}.`;
  if (only) throw new PawlError('Usage', 'The ssh-agent holds several such keys: say which one.', { hint });
  throw new PawlError('NotFound', `The ssh-agent holds no ssh-ed25519 key${which ? ` ${which}` : ''}.`, { hint });
};

export const signByAgent = async (socket: string, publicKey: string, payload: Buffer): Promise<Buffer> => {
  const request = [Buffer.from([SIGN_REQUEST]), text(blobOf(publicKey)), text(payload), number(0)];
  const answer = reading(await ask(socket, Buffer.concat(request), SIGN_RESPONSE));
  const signature = reading(answer.text());
  if (signature.text().toString() === ED25519) return signature.text();
  throw new PawlError('Unavailable', 'The ssh-agent signed with a key of another kind.');
};

/** `ssh-ed25519 AAAA… comment`, as it stands in a .pub file; null for anything else. */
export const keyInLine = (line: string): string | null => {
  const [kind, blob = ''] = line.trim().split(/\s+/);
  return kind === ED25519 ? rawKeyOf(Buffer.from(blob, 'base64')) : null;
};

const blobOf = (publicKey: string): Buffer =>
  Buffer.concat([text(Buffer.from(ED25519)), text(Buffer.from(publicKey, 'base64url'))]);

const rawKeyOf = (blob: Buffer): string | null => {
  const publicKey = blob.subarray(-32).toString('base64url');
  return blob.length > 32 && blobOf(publicKey).equals(blob) ? publicKey : null;
};

const fingerprintOf = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replaceAll('=', '')}`;

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const text = (content: Buffer): Buffer => Buffer.concat([number(content.length), content]);

/** Takes one field after the other; what is shorter than it says is no answer of an agent. */
const reading = (bytes: Buffer) => {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new PawlError('Unavailable', 'The ssh-agent gave an answer that breaks off.');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const number = (): number => take(4).readUInt32BE();
  return { number, text: (): Buffer => take(number()) };
};

/** One question on a connection of its own: a length, a type and the content, both ways. */
const ask = (socket: string, request: Buffer, expected: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const fail = (because: string) => {
      connection.destroy();
      reject(
        new PawlError('Unavailable', `The ssh-agent at ${socket} ${because}.`, {
          hint: 'See that it runs and holds your key: `ssh-add -l`.',
        }),
      );
    };
    let answer = Buffer.alloc(0);
    const connection = createConnection(socket, () => connection.write(text(request)));
    connection.setTimeout(PATIENCE_MS, () => fail('did not answer in time'));
    connection.on('error', ({ message }) => fail(`cannot be asked: ${message}`));
    connection.on('close', () => fail('ended without an answer'));
    connection.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      const length = answer.length >= 4 ? answer.readUInt32BE() : 0;
      if (length > LONGEST_ANSWER) return fail('gave an answer that is too long');
      if (length === 0 || answer.length < 4 + length) return;
      if (answer[4] !== expected) return fail('refused');
      resolve(answer.subarray(5, 4 + length));
      connection.destroy();
    });
  });
