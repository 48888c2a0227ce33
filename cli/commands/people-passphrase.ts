import { z } from 'zod';
import { openKey, protectKey } from '../../adapters/keys/key-file.ts';
import { chooseSigner } from '../../adapters/keys/signer.ts';
import { PawlError } from '../../contracts/failures.ts';
import { command } from '../command.ts';
import { keySources } from '../operator.ts';
import { newPassphrase, passphraseFor } from '../passphrase.ts';
import { bold, dim, good } from '../text.ts';

export const peoplePassphrase = command({
  name: 'people passphrase',
  about: 'put a key that lies here under a passphrase, or under another one',
  details: 'The key stays the same, so people.json does too.',
  arguments: [['<name>', 'whose key, as in people.json']],
  options: [
    ['--passphrase-file <file>', 'holds the new passphrase (PAWL_PASSPHRASE, else it is asked)'],
    ['--old-passphrase-file <file>', 'holds the present one, where there is one (else it is asked)'],
  ],
  examples: ['pawl people passphrase ada'],
  input: z.object({
    name: z.string(),
    passphraseFile: z.string().optional(),
    oldPassphraseFile: z.string().optional(),
  }),
  run: async ({ name, passphraseFile, oldPassphraseFile }, context) => {
    const { place } = await chooseSigner(keySources(context), { as: name });
    if (place.kind === 'agent') {
      throw new PawlError('Usage', `The key of ${name} is in the ssh-agent, not here.`, {
        hint: '`ssh-keygen -p -f FILE` gives it another passphrase.',
      });
    }
    const { path } = place.file;
    const pair = await openKey(path, (path) => passphraseFor(context, path, oldPassphraseFile));
    const passphrase = await newPassphrase(context, passphraseFile);
    if (passphrase === null) throw new PawlError('Usage', 'An empty passphrase protects nothing; nothing was done.');
    await protectKey(path, pair, passphrase);
    return {
      data: { name, path, isProtected: true },
      lines: [[good('✓ '), bold(name), ': the key is under the new passphrase', dim(` ${path}`)]],
      next: [['See everyone', 'pawl people ls']],
    };
  },
});
