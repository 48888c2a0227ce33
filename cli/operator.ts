/** Who the person at this shell is, and what they sign. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { z } from 'zod';
import { chooseSigner, hasKeys, type KeySources, type Signer, signAs } from '../adapters/keys/signer.ts';
import { duration } from '../contracts/config-values.ts';
import type { SignedToken, TokenClaims } from '../contracts/token.ts';
import type { Described } from './command.ts';
import type { Context } from './context.ts';
import { passphraseFor } from './passphrase.ts';

/** A token that is sent at once needs no longer life than clocks differ; one that is pasted needs a person's minutes. */
const LIFE_MS = 15 * 60_000;

/** What every command that signs takes: whose key, in which role, and how it is opened. */
export const SIGNING: readonly Described[] = [
  ['--as <name>', "whose key signs (PAWL_PERSON, else the only key here, else the operator's)"],
  ['--role <role>', 'the role in which the person acts (the first)'],
  ['--passphrase-file <file>', 'holds the passphrase of the key (PAWL_PASSPHRASE, else it is asked)'],
];
export const signing = {
  as: z.string().optional(),
  role: z.string().optional(),
  passphraseFile: z.string().optional(),
};
export interface Signing {
  readonly as?: string | undefined;
  readonly role?: string | undefined;
  readonly passphraseFile?: string | undefined;
}

/** What is signed; each field stands in the token as it is here. */
export type Permission = Pick<TokenClaims, 'action' | 'workflow' | 'step' | 'variant' | 'evidence' | 'reason'>;

export const signerOf = (context: Context, { as, role }: Signing): Promise<Signer> =>
  chooseSigner(keySources(context), { as: as ?? context.environment.person ?? undefined, role });

export const keySources = ({ home, environment }: Context): KeySources => ({
  home,
  agentSocket: environment.agentSocket,
});

/** null where there is no key here at all, and nobody is named who should have one. */
export const signerHere = async (context: Context, signing: Signing): Promise<Signer | null> => {
  const named = signing.as ?? context.environment.person;
  return named || (await hasKeys(keySources(context))) ? signerOf(context, signing) : null;
};

export const signPermission = async (
  context: Context,
  permission: Permission,
  signing: Signing = {},
  lifeMs: number = LIFE_MS,
): Promise<SignedToken> => signBy(context, await signerOf(context, signing), permission, signing, lifeMs);

export const signBy = (
  context: Context,
  signer: Signer,
  permission: Permission,
  { passphraseFile }: Signing,
  lifeMs: number = LIFE_MS,
): Promise<SignedToken> => {
  const now = Date.now();
  const claims = {
    ...permission,
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + lifeMs).toISOString(),
    nonce: randomUUID(),
  };
  const passphrase = (path: string) => passphraseFor(context, path, passphraseFile);
  return signAs(signer, claims, { ...keySources(context), passphrase });
};

/** A restriction needs no key: it names whoever is logged in. */
export const nameOfUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // A container may run under a number that has no name.
  }
};

/** `--expires` */
export const tokenLife = duration.optional();
