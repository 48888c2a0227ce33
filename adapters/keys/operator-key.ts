/** The key that `pawl init` makes for the person who runs this home; it never leaves `.pawl/keys`. */
import type { KeyObject } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { homePaths } from '../home.ts';
import { makeKeyPair, openKey, writeKey } from './key-file.ts';
import { addPerson, kidOf, type Person } from './people.ts';

export interface OperatorKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** Whoever runs a home alone can do all that the policy lets one person do. */
const FOUNDER: readonly string[] = ['operator', 'approver', 'admin'];

/** Makes the key and adds its public half to people.json. A key that is there is never overwritten. */
export const createOperatorKey = async (
  home: string,
  { name, roles = FOUNDER, passphrase = null }: { name: string; roles?: readonly string[]; passphrase?: string | null },
): Promise<Person> => {
  const { operatorKey: path } = homePaths(home);
  return addWithKey(home, path, { name, roles, passphrase });
};

/** Makes a key and adds its person; a key whose person could not be added would only stand in the way of the next attempt. */
export const addWithKey = async (
  home: string,
  path: string,
  { name, roles, passphrase }: { name: string; roles: readonly string[]; passphrase: string | null },
): Promise<Person> => {
  const pair = makeKeyPair();
  const person: Person = { name, roles: [...roles], kid: kidOf(pair.publicKey), publicKey: pair.publicKey };
  await writeKey(path, pair, passphrase);
  try {
    await addPerson(home, person);
  } catch (error) {
    await rm(path);
    throw error;
  }
  return person;
};

export const readOperatorKey = async (home: string, passphrase = ''): Promise<OperatorKey> => {
  const { privateKey, publicKey } = await openKey(homePaths(home).operatorKey, async () => passphrase);
  return { privateKey, kid: kidOf(publicKey) };
};
