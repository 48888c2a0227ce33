import { z } from 'zod';
import { keyPathOf, makeKeyPair, writeKey } from '../../adapters/keys/key-file.ts';
import { kidOf } from '../../adapters/keys/people.ts';
import { command } from '../command.ts';
import { newPassphrase } from '../passphrase.ts';
import { bold, dim, good } from '../text.ts';

export const peopleKey = command({
  name: 'people key',
  about: 'make a key pair for yourself, and print its public half to be sent to a colleague',
  details: 'The private key stays here, in .pawl/keys. people.json is left alone: whoever keeps it adds you.',
  arguments: [['<name>', 'your name, as it will stand in people.json']],
  options: [
    ['--passphrase-file <file>', 'holds the passphrase of the new key (PAWL_PASSPHRASE, else it is asked)'],
    ['--no-passphrase', 'leave the key unprotected'],
  ],
  examples: ['pawl people key grace'],
  input: z.object({ name: z.string(), passphraseFile: z.string().optional(), passphrase: z.boolean().default(true) }),
  run: async ({ name, passphraseFile, passphrase: wanted }, context) => {
    const path = keyPathOf(context.home, name);
    const passphrase = wanted ? await newPassphrase(context, passphraseFile) : null;
    const pair = makeKeyPair();
    const kid = kidOf(pair.publicKey);
    await writeKey(path, pair, passphrase);
    return {
      data: { name, publicKey: pair.publicKey, kid, path, isProtected: passphrase !== null },
      lines: [
        [good('✓ '), bold(name), `, key ${kid}`, dim(` ${path}${passphrase === null ? ', without a passphrase' : ''}`)],
        [dim('  public key  '), pair.publicKey],
      ],
      next: [['Your colleague runs', `pawl people add ${name} --role approver --public-key ${pair.publicKey}`]],
    };
  },
});
