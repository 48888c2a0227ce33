import { z } from 'zod';
import { agentKeyNamed, agentKeys, keyInLine } from '../../adapters/keys/agent.ts';
import { keyPathOf } from '../../adapters/keys/key-file.ts';
import { addWithKey } from '../../adapters/keys/operator-key.ts';
import { addPerson, kidOf, type Person, readPeople } from '../../adapters/keys/people.ts';
import { PawlError } from '../../contracts/failures.ts';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { newPassphrase } from '../passphrase.ts';
import { notePerson } from '../people.ts';
import { permit } from '../permission.ts';
import { bold, dim, good } from '../text.ts';

const input = z
  .object({
    name: z.string().trim().min(1).max(100),
    role: z
      .array(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'expected a role such as approver'))
      .min(1, 'is needed at least once'),
    publicKey: z.string().optional(),
    agent: z.union([z.string(), z.literal(true)]).optional(),
    passphraseFile: z.string().optional(),
    /** Commander's way to say --no-passphrase. */
    passphrase: z.boolean().default(true),
    as: z.string().optional(),
  })
  .refine(({ publicKey, agent }) => publicKey === undefined || agent === undefined, {
    path: ['agent'],
    message: 'give a public key or take one from the agent, not both',
  })
  .refine(({ passphrase, passphraseFile }) => passphrase || passphraseFile === undefined, {
    path: ['passphraseFile'],
    message: 'with a passphrase or without, not both',
  });

export const peopleAdd = command({
  name: 'people add',
  about: 'add a person to people.json: a name, roles, a public key',
  details:
    'Without --public-key and --agent a key is made here, in .pawl/keys, under a passphrase that is asked twice. The policy must let whoever adds people do so (an admin). Commit people.json afterwards.',
  arguments: [['<name>', 'the name that stands in the ledger']],
  options: [
    ['--role <role...>', 'what the person may act as, such as approver; the first is the default'],
    ['--public-key <key>', 'of a key that was made elsewhere: what `pawl people key` prints, or a line of a .pub file'],
    ['--agent [key]', 'an ssh-ed25519 key of the ssh-agent, by comment or fingerprint where it holds several'],
    ['--passphrase-file <file>', 'holds the passphrase of the new key (PAWL_PASSPHRASE, else it is asked)'],
    ['--no-passphrase', 'leave the new key unprotected'],
    ['--as <name>', 'whose key asks for it (PAWL_PERSON, else the only key here, else the operator)'],
  ],
  examples: [
    'pawl people add grace --role approver',
    'pawl people add joan --role approver operator --public-key "ssh-ed25519 AAAA… joan@laptop"',
    'pawl people add ada --role operator --agent ada@laptop',
  ],
  input,
  run: async (given, context) => {
    await mayAdd(context, given);
    const { person, where } = await add(context, given);
    const noted = await notePerson(context, 'person added', person, `added as ${person.roles.join(', ')}`);
    return {
      data: { person, where, noted },
      lines: [
        [good('✓ '), bold(person.name), ` (${person.roles.join(', ')}), key ${person.kid}`, dim(` ${where}`)],
        [dim('  It counts from now on. '), `${context.paths.people} belongs in Git.`],
      ],
      next: [['See everyone', 'pawl people ls']],
    };
  },
});

/** Whoever is the first has nobody to ask. Taking a person out asks nobody ever: it only restricts. */
const mayAdd = async (context: Context, { name, role, as }: z.infer<typeof input>): Promise<void> => {
  if (!(await readPeople(context.home)).some(({ revoked }) => !revoked)) return;
  const subject = `${name} as ${role.join(', ')}`;
  await permit(context, { action: 'people', service: null, subject, reason: `add ${subject}` }, as ? { as } : {});
};

const add = async (
  context: Context,
  { name, role: roles, publicKey, agent, passphraseFile, passphrase: wanted }: z.infer<typeof input>,
): Promise<{ person: Person; where: string }> => {
  const { home } = context;
  if (publicKey === undefined && agent === undefined) {
    const path = keyPathOf(home, name);
    const passphrase = wanted ? await newPassphrase(context, passphraseFile) : null;
    const person = await addWithKey(home, path, { name, roles, passphrase });
    return { person, where: passphrase === null ? `${path}, without a passphrase` : path };
  }
  const key = publicKey === undefined ? await agentKey(context, agent) : publicKeyIn(publicKey);
  const person = { name, roles, kid: kidOf(key), publicKey: key };
  await addPerson(home, person);
  return { person, where: publicKey === undefined ? 'in the ssh-agent' : 'made elsewhere' };
};

const agentKey = async ({ environment }: Context, which: string | true | undefined): Promise<string> => {
  const { agentSocket } = environment;
  if (agentSocket !== null)
    return agentKeyNamed(await agentKeys(agentSocket), which === true ? null : (which ?? null)).publicKey;
  throw new PawlError('NotFound', 'There is no ssh-agent: SSH_AUTH_SOCK is not set.', {
    hint: 'Start one: `eval "$(ssh-agent)"`, then `ssh-add`.',
  });
};

const publicKeyIn = (said: string): string => {
  const key = /^[A-Za-z0-9_-]{43}$/.test(said.trim()) ? said.trim() : keyInLine(said);
  if (key !== null) return key;
  throw new PawlError('Usage', 'That is no Ed25519 public key.', {
    hint: 'Expected the 43 characters that `pawl people key` prints, or a line such as "ssh-ed25519 AAAA… ada@laptop".',
  });
};
