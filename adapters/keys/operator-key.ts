/** The key by which the operator of this machine signs; it never leaves `.pawl/keys`. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { homePaths } from '../home.ts';
import { addPerson, kidOf, type Person } from './people.ts';

export interface OperatorKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** Makes the key and adds its public half to people.json. A key that is there is never overwritten. */
export const createOperatorKey = async (
  home: string,
  { name, role = 'operator' }: { name: string; role?: string },
): Promise<Person> => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = rawOf(publicKey);
  const person: Person = { name, role, kid: kidOf(raw), publicKey: raw };
  const { operatorKey: path } = homePaths(home);
  await keepSecret(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  try {
    await addPerson(home, person);
  } catch (error) {
    await rm(path); // A key that nobody knows would only stand in the way of the next attempt.
    throw error;
  }
  return person;
};

export const readOperatorKey = async (home: string): Promise<OperatorKey> => {
  const { operatorKey: path } = homePaths(home);
  const pem = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT')
      throw new PawlError('Unavailable', `${path} cannot be read: ${cause.message}`, { cause });
    throw new PawlError('NotFound', `There is no key at ${path}`, { hint: 'Make one with `pawl init`.' });
  });
  const { mode } = await stat(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new PawlError('NotAllowed', `${path} can be read by other users`, {
      hint: `Run \`chmod 600 ${path}\`; if others may have read it, take the key out of people.json and make a new one.`,
    });
  }
  const privateKey = keyIn(path, pem);
  return { privateKey, kid: kidOf(rawOf(privateKey)) };
};

const keyIn = (path: string, pem: Buffer): KeyObject => {
  const hint = 'Restore it from a backup, or remove it and make a new one with `pawl init`.';
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${path} holds no private key`, { hint, cause });
  }
  throw new PawlError('ConfigInvalid', `${path} holds a key that is not Ed25519`, { hint });
};

/** Both halves of a key give the same public bytes. */
const rawOf = (key: KeyObject): string => String(key.export({ format: 'jwk' }).x);

const keepSecret = async (path: string, pem: string | Buffer): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST')
      throw new PawlError('Unavailable', `${path} cannot be made: ${cause.message}`, { cause });
    throw new PawlError('Refused', `${path} is there already, and a key is never overwritten`, {
      hint: 'Sign with it as it is. To retire it, take its entry out of people.json and move the file away.',
    });
  });
  try {
    await file.writeFile(pem);
    await file.sync();
  } finally {
    await file.close();
  }
};
