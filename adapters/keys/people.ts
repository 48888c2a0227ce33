/** `people.json`: whose signature counts, and as what. The team keeps it in Git, so that a change of it is reviewed. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { homePaths } from '../home.ts';

/** 32 raw bytes in base64url. There is no field for an algorithm: every key is an Ed25519 key. */
const rawKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'the 32 bytes of an Ed25519 public key in base64url');
const named = z.string().min(1).max(100);

const person = z
  .strictObject({ name: named, role: named, kid: z.string().regex(/^[0-9a-f]{16}$/), publicKey: rawKey })
  .refine(({ kid, publicKey }) => kid === kidOf(publicKey), 'kid is not that of this publicKey');

export const peopleFile = z.strictObject({
  people: z
    .array(person)
    .refine((people) => new Set(people.map(({ kid }) => kid)).size === people.length, 'a kid stands there twice'),
});
export type Person = z.infer<typeof person>;
export type People = readonly Person[];

export const kidOf = (publicKey: string): string =>
  createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex').slice(0, 16);

export const publicKeyOf = ({ publicKey }: Person): KeyObject =>
  createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: publicKey } });

/** Nobody may sign where there is no file yet. */
export const readPeople = async (home: string): Promise<People> => {
  const { people: path } = homePaths(home);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new PawlError('Unavailable', `${path} cannot be read: ${error.message}`, { cause: error });
  });
  return text === null ? [] : parsePeople(path, text);
};

const parsePeople = (path: string, text: string): People => {
  const hint = 'Take the last good version of the file from Git, or correct what is named here.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${path} is not JSON: ${String(cause)}`, { hint, cause });
  }
  const parsed = peopleFile.safeParse(value);
  if (parsed.success) return parsed.data.people;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'the file';
  throw new PawlError('ConfigInvalid', `${path}: ${where}: ${issue?.message}`, { hint });
};

/** The file appears whole or stays as it was. */
export const addPerson = async (home: string, added: Person): Promise<void> => {
  const people = [...(await readPeople(home)), added];
  const { people: path } = homePaths(home);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify({ people }, null, 2)}\n`, { flag: 'wx' });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
};
