/**
 * `people.json`: whose signature counts, and as what. The team keeps it in Git, so that a change of it is reviewed.
 *
 * 1. It is read at every use, so that a change works at once.
 * 2. Who is revoked stays in it, so that what they signed before can still be checked.
 * 3. A change is made to the file as it is at that moment, one change at a time, and the file is whole at every moment.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { withLock } from '../../infra/setup/lock.mjs';
import { homePaths } from '../home.ts';

/** 32 raw bytes in base64url. There is no field for an algorithm: every key is an Ed25519 key. */
const rawKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'the 32 bytes of an Ed25519 public key in base64url');
const named = z.string().min(1).max(100);
const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

const person = z
  .strictObject({
    name: named,
    /** The first is the one in which the person acts where nothing else is said. */
    roles: z.array(named).min(1).refine(unique, 'a role stands there twice'),
    kid: z.string().regex(/^[0-9a-f]{16}$/),
    publicKey: rawKey,
    revoked: z.strictObject({ at: z.iso.datetime(), reason: z.string().min(1).max(1_000) }).optional(),
  })
  .refine(({ kid, publicKey }) => kid === kidOf(publicKey), 'kid is not that of this publicKey');

/** Files from before a person could have several roles hold one, as `role`. */
const withRoles = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || !('role' in value) || 'roles' in value) return value;
  const { role, ...rest } = value;
  return { ...rest, roles: [role] };
};

export const peopleFile = z.strictObject({
  people: z
    .array(z.preprocess(withRoles, person))
    .refine((people) => unique(people.map(({ kid }) => kid)), 'a kid stands there twice')
    .refine(
      (people) => unique(people.filter(({ revoked }) => !revoked).map(({ name }) => name)),
      'two people who are not revoked have one name',
    ),
});
export type Person = z.infer<typeof person>;
export type People = readonly Person[];

export const kidOf = (publicKey: string): string =>
  createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex').slice(0, 16);

export const publicKeyOf = ({ publicKey }: Pick<Person, 'publicKey'>): KeyObject =>
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

export const addPerson = (home: string, added: Person): Promise<People> =>
  changePeople(home, (people) => {
    const namesake = people.find(({ name, revoked }) => name === added.name && !revoked);
    if (namesake) {
      throw new PawlError('Refused', `${added.name} is in people.json already (${namesake.kid}).`, {
        hint: 'Revoke the old key first (`pawl people revoke`), or choose another name.',
      });
    }
    const same = people.find(({ kid }) => kid === added.kid);
    if (same) {
      throw new PawlError(
        'Refused',
        `The key ${added.kid} is that of ${same.name}${same.revoked ? ', revoked' : ''}.`,
        {
          hint: 'Each person has a key of their own, and a revoked key never comes back: make a new one.',
        },
      );
    }
    return [...people, added];
  });

/** The entry stays, with the moment and the reason: from now on nothing that this key signs is accepted. */
export const revokePerson = async (home: string, name: string, reason: string, at: string): Promise<Person> => {
  const people = await changePeople(home, (people) => {
    const found =
      people.findLast((one) => one.name === name && !one.revoked) ?? people.findLast((one) => one.name === name);
    if (!found) {
      const known = people.filter((one) => !one.revoked).map((one) => one.name);
      throw new PawlError('NotFound', `There is no ${name} in people.json.`, {
        hint: `It knows: ${known.join(', ')}.`,
      });
    }
    if (found.revoked) {
      throw new PawlError('Refused', `${name} is revoked already, at ${found.revoked.at}: ${found.revoked.reason}.`);
    }
    return people.map((one) => (one === found ? { ...found, revoked: { at, reason } } : one));
  });
  return people.find((one) => one.name === name && one.revoked?.at === at) as Person;
};

/** Answers with the people as they are then. */
const changePeople = (home: string, change: (people: People) => People): Promise<People> => {
  const { people: path, state } = homePaths(home);
  return withLock(`${state}/people.lock`, async () => {
    const people = change(await readPeople(home));
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      await writeFile(temporary, `${JSON.stringify({ people }, null, 2)}\n`, { flush: true });
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    return people;
  });
};
