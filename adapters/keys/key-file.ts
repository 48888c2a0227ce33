/**
 * The private keys of a home, one a file in `.pawl/keys`, for nobody but their owner to read.
 *
 * 1. A key that is there is never overwritten.
 * 2. Above the key its public half stands in plain text, so that it is known whose it is without its passphrase. What it
 *    really is shows when it is opened.
 * 3. Neither a passphrase nor anything of a private key is ever part of an error.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { homePaths } from '../home.ts';
import { protectedPem } from './pkcs8.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  /** The 32 bytes in base64url. */
  readonly publicKey: string;
}

export interface KeyFile {
  readonly path: string;
  /** null: it is protected, and does not say. */
  readonly publicKey: string | null;
  readonly isProtected: boolean;
}

/** A name that a file can have anywhere, and that cannot lead out of its folder. */
export const KEY_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
/** The ledger signs its heads with a key of its own; it is nobody's. */
const LEDGER_KEY = 'ledger.pem';
const SHORTEST_PASSPHRASE = 8;

export const makeKeyPair = (): KeyPair => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: rawOf(publicKey) };
};

export const keyPathOf = (home: string, name: string): string => {
  const path = join(homePaths(home).keys, `${name}.pem`);
  if (KEY_NAME.test(name) && basename(path) !== LEDGER_KEY) return path;
  throw new PawlError('Usage', `A key cannot be named ${JSON.stringify(name)}.`, {
    hint: 'Names of people with a key: letters, digits and . _ @ -, at most 64, other than "ledger".',
  });
};

export const writeKey = async (path: string, pair: KeyPair, passphrase: string | null): Promise<void> => {
  const text = textOf(pair, passphrase);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // A key is never committed, whatever the home's own .gitignore says.
  await writeFile(join(dirname(path), '.gitignore'), '*\n');
  await writeNew(path, text).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST')
      throw new PawlError('Unavailable', `${path} cannot be made: ${cause.message}`, { cause });
    throw new PawlError('Refused', `${path} is there already, and a key is never overwritten`, {
      hint: 'Sign with it as it is. To retire it: `pawl people revoke`, then move the file away.',
    });
  });
};

/** The same key under another passphrase. The file holds the one or the other at every moment. */
export const protectKey = async (path: string, pair: KeyPair, passphrase: string): Promise<void> => {
  const text = textOf(pair, passphrase);
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  await writeNew(temporary, text);
  await rename(temporary, path);
};

const writeNew = async (path: string, text: string): Promise<void> => {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
};

const textOf = ({ privateKey, publicKey }: KeyPair, passphrase: string | null): string => {
  const pem =
    passphrase === null ? privateKey.export({ type: 'pkcs8', format: 'pem' }) : protect(privateKey, passphrase);
  return `${PUBLIC_KEY}${publicKey}\n${pem}`;
};
const PUBLIC_KEY = 'Public-Key: ';

const protect = (key: KeyObject, passphrase: string): string => {
  if (passphrase.length >= SHORTEST_PASSPHRASE) return protectedPem(key, passphrase);
  throw new PawlError('Usage', `A passphrase has at least ${SHORTEST_PASSPHRASE} characters.`, {
    hint: 'Choose a longer one, such as four words.',
  });
};

/** Every key that lies here, by its file name. One that cannot be read is an error, never a key less. */
export const listKeys = async (home: string): Promise<readonly KeyFile[]> => {
  const { keys } = homePaths(home);
  const names = await readdir(keys).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw new PawlError('Unavailable', `${keys} cannot be read: ${cause.message}`, { cause });
  });
  const files = names.filter((name) => name.endsWith('.pem') && name !== LEDGER_KEY).sort();
  return Promise.all(files.map((name) => describeKey(join(keys, name))));
};

const describeKey = async (path: string): Promise<KeyFile> => {
  const text = await readKeyFile(path);
  const isProtected = text.includes('BEGIN ENCRYPTED PRIVATE KEY');
  const said = text.split('\n').find((line) => line.startsWith(PUBLIC_KEY));
  const publicKey = isProtected ? (said?.slice(PUBLIC_KEY.length) ?? null) : rawOf(keyIn(path, text, null));
  return { path, publicKey, isProtected };
};

/** Asks for the passphrase where there is one. */
export const openKey = async (path: string, passphrase: (path: string) => Promise<string>): Promise<KeyPair> => {
  const text = await readKeyFile(path);
  const isProtected = text.includes('BEGIN ENCRYPTED PRIVATE KEY');
  const privateKey = keyIn(path, text, isProtected ? await passphrase(path) : null);
  return { privateKey, publicKey: rawOf(privateKey) };
};

const readKeyFile = async (path: string): Promise<string> => {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT')
      throw new PawlError('Unavailable', `${path} cannot be read: ${cause.message}`, { cause });
    throw new PawlError('NotFound', `There is no key at ${path}`, { hint: 'Make one with `pawl init`.' });
  });
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new PawlError('NotAllowed', `${path} can be read by other users`, {
      hint: `Run \`chmod 600 ${path}\`; if others may have read it, revoke its person (\`pawl people revoke\`) and make a new one.`,
    });
  }
  return text;
};

const keyIn = (path: string, pem: string, passphrase: string | null): KeyObject => {
  const hint = 'Restore it from a backup, or revoke its person (`pawl people revoke`) and make a new one.';
  let key: KeyObject;
  try {
    key = createPrivateKey(passphrase === null ? pem : { key: pem, passphrase });
  } catch {
    if (passphrase !== null) {
      throw new PawlError('NotAllowed', `The passphrase does not open ${path}.`, {
        hint: 'Try again. Without its passphrase a key is lost: revoke its person (`pawl people revoke`) and make a new one.',
      });
    }
    throw new PawlError('ConfigInvalid', `${path} holds no private key`, { hint });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new PawlError('ConfigInvalid', `${path} holds a key that is not Ed25519`, { hint });
};

/** Both halves of a key give the same public bytes. */
const rawOf = (key: KeyObject): string => String(key.export({ format: 'jwk' }).x);
