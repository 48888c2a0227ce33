/** What the commands about API keys share. */
import { z } from 'zod';
import { type By, createKeyring, type Keyring } from '../adapters/access/keyring.ts';
import { accessOf } from '../adapters/access/of-environment.ts';
import { tokenHasher } from '../adapters/access/token.ts';
import { readPeople } from '../adapters/keys/people.ts';
import { type ApiKey, DEFAULT_TENANT, TENANT_NAME } from '../contracts/access.ts';
import type { Described } from './command.ts';
import type { Context } from './context.ts';
import { nameOfUser, type Signing } from './operator.ts';
import { permit } from './permission.ts';
import { bold, dim, good, type Line } from './text.ts';

export const keyId = z.string().regex(/^[0-9a-f]{16}$/, 'expected the 16 digits that `pawl key ls` shows');
export const tenant = z
  .string()
  .regex(TENANT_NAME, 'expected lower-case letters, digits and dashes, at most 40')
  .default(DEFAULT_TENANT);
export const TENANT: Described = ['--tenant <name>', `whose documents it is for (${DEFAULT_TENANT})`];
export const KEY_REASON: Described = ['--reason <text>', 'why; it stands in the ledger'];
export const keyReason = z.string().trim().min(1).max(1_000).optional();

/** Changes leave rows in the ledger, so they need the store; a look does not. */
export const withKeyring = async <T>(context: Context, work: (keys: Keyring) => Promise<T>): Promise<T> => {
  const store = accessOf(context.environment);
  const control = { note: (entry: Parameters<Context['control']['note']>[0]) => context.control.note(entry) };
  try {
    return await work(createKeyring({ store, control, now: Date.now, hash: tokenHasher(context.paths.keys) }));
  } finally {
    store.close();
  }
};

/** Where nobody is in people.json yet, there is nobody to ask. Revoking asks nobody ever: it only restricts. */
export const mayChangeKeys = async (
  context: Context,
  subject: string,
  reason: string,
  signing: Signing,
): Promise<void> => {
  if (!(await readPeople(context.home)).some(({ revoked }) => !revoked)) return;
  await permit(context, { action: 'keys', service: null, subject, reason }, signing);
};

export const byUser = (reason: string): By => ({ actor: { kind: 'person', name: nameOfUser() }, reason });

export const tokenLines = (token: string): Line[] => [
  ['  ', bold(token)],
  [
    dim('  It is shown now and never again. Send it as '),
    'Authorization: Bearer …',
    dim(' or '),
    'x-api-key',
    dim('.'),
  ],
];

export const keyLine = ({ id, name, tenant, role, expiresAt }: ApiKey, what: string): Line => [
  good('✓ '),
  bold(name),
  ` ${what}: key ${id} of tenant ${tenant}, as ${role}`,
  expiresAt === null ? '' : `, until ${expiresAt}`,
];
