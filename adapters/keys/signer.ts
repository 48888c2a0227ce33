/** Who signs here, and with what: a key that lies in this home, or one that the ssh-agent keeps. */
import { verify } from 'node:crypto';
import { basename } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import type { SignedToken, TokenClaims } from '../../contracts/token.ts';
import { homePaths } from '../home.ts';
import { type AgentKey, agentKeys, signByAgent } from './agent.ts';
import { type KeyFile, listKeys, openKey } from './key-file.ts';
import { kidOf, type People, type Person, publicKeyOf, readPeople } from './people.ts';
import { signToken, signTokenBy } from './token.ts';

export type Place =
  | { readonly kind: 'file'; readonly file: KeyFile }
  | { readonly kind: 'agent'; readonly key: AgentKey };

export interface Signer {
  readonly person: Person;
  /** The role in which the person acts. */
  readonly role: string;
  readonly place: Place;
}

export interface Wish {
  /** Name of the person; where nothing is said, whoever's key is the only one here, or the operator's. */
  readonly as?: string | undefined;
  /** The person's first role, where nothing is said. */
  readonly role?: string | undefined;
}

export interface KeySources {
  readonly home: string;
  readonly agentSocket: string | null;
}

/** Where the private keys of all these people lie, as far as they can be used here. */
export const placesOf = async (
  { home, agentSocket }: KeySources,
  people: People,
): Promise<ReadonlyMap<string, Place>> => {
  const files = await listKeys(home);
  // An agent that does not answer is none; whoever meant a key of it is told that there is no key.
  const held = agentSocket === null ? [] : await agentKeys(agentSocket).catch(() => []);
  return new Map(
    people.flatMap((person): Array<[string, Place]> => {
      const file = files.find((one) => isOf(one, person, home));
      if (file) return [[person.kid, { kind: 'file', file }]];
      const key = held.find(({ publicKey }) => publicKey === person.publicKey);
      return key ? [[person.kid, { kind: 'agent', key }]] : [];
    }),
  );
};

/** A protected key that does not say its public half is taken by its file's name; opening it shows whether that is right. */
const isOf = ({ path, publicKey }: KeyFile, { name, publicKey: theirs }: Person, home: string): boolean =>
  publicKey === null ? path !== homePaths(home).operatorKey && basename(path, '.pem') === name : publicKey === theirs;

export const chooseSigner = async (sources: KeySources, { as, role }: Wish): Promise<Signer> => {
  const people = await readPeople(sources.home);
  const places = await placesOf(sources, people);
  const person = as === undefined ? theOne(sources.home, people, places) : personNamed(people, as);
  if (person.revoked) {
    throw new PawlError('NotAllowed', `${person.name} was revoked at ${person.revoked.at}: ${person.revoked.reason}.`, {
      hint: '`pawl people ls` shows who may sign.',
    });
  }
  const place = places.get(person.kid);
  if (!place) {
    throw new PawlError(
      'NotFound',
      `The key of ${person.name} (${person.kid}) is neither in this home nor in an ssh-agent.`,
      {
        hint: `It belongs at ${homePaths(sources.home).keys}; or --as another person (\`pawl people ls\`).`,
      },
    );
  }
  const acting = role ?? person.roles[0] ?? '';
  if (person.roles.includes(acting)) return { person, role: acting, place };
  throw new PawlError('NotAllowed', `${person.name} is no ${acting}.`, { hint: `Roles: ${person.roles.join(', ')}.` });
};

/** A key that lies here counts whosever it is: why it cannot sign is then worth an error. */
export const hasKeys = async (sources: KeySources): Promise<boolean> =>
  (await listKeys(sources.home)).length > 0 || (await placesOf(sources, await readPeople(sources.home))).size > 0;

const personNamed = (people: People, name: string): Person => {
  const found =
    people.findLast((one) => one.name === name && !one.revoked) ?? people.findLast((one) => one.name === name);
  if (found) return found;
  throw new PawlError('NotFound', `There is no ${name} in people.json.`, { hint: '`pawl people ls` lists everyone.' });
};

const theOne = (home: string, people: People, places: ReadonlyMap<string, Place>): Person => {
  const able = people.filter(({ kid, revoked }) => places.has(kid) && !revoked);
  const files = able.filter(({ kid }) => places.get(kid)?.kind === 'file');
  const { operatorKey } = homePaths(home);
  const operator = files.find(({ kid }) => {
    const place = places.get(kid);
    return place?.kind === 'file' && place.file.path === operatorKey;
  });
  const [only, ...others] = files.length > 0 ? files : able;
  if (only && others.length === 0) return only;
  if (operator) return operator;
  if (only) {
    throw new PawlError('Usage', 'There are keys of several people here: say whose signs, with --as.', {
      hint: `There are: ${able.map(({ name }) => name).join(', ')}. PAWL_PERSON says it for good.`,
    });
  }
  throw new PawlError('NotAllowed', `No key in ${home} belongs to anyone in people.json.`, {
    hint: 'Restore the entry from Git, make a key with `pawl init`, or add yours with `pawl people add`.',
  });
};

export const signAs = async (
  { person, role, place }: Signer,
  claims: Omit<TokenClaims, 'v' | 'kid' | 'person' | 'role'>,
  sources: KeySources & { passphrase(path: string): Promise<string> },
): Promise<SignedToken> => {
  const full: TokenClaims = { v: 1, kid: person.kid, person: person.name, role, ...claims };
  if (place.kind === 'file') {
    const { privateKey, publicKey } = await openKey(place.file.path, sources.passphrase);
    if (publicKey === person.publicKey) return signToken(privateKey, full);
    throw new PawlError(
      'NotAllowed',
      `${place.file.path} holds the key ${kidOf(publicKey)}, not that of ${person.name}.`,
      {
        hint: '`pawl people ls` shows whose key is which.',
      },
    );
  }
  return signTokenBy(async (payload) => {
    const signature = await signByAgent(sources.agentSocket ?? '', person.publicKey, payload);
    if (verify(null, payload, publicKeyOf(person), signature)) return signature;
    throw new PawlError('Unavailable', 'What the ssh-agent signed does not verify with the key that was asked for.');
  }, full);
};
