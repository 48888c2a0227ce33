import { z } from 'zod';
import { backup as copyHome } from '../../adapters/keeping/backup.ts';
import { servicesOf } from '../../adapters/service/services.ts';
import { command, flag } from '../command.ts';
import { bold, bytesOf, dim, good, type Line, warn } from '../text.ts';

export const backup = command({
  name: 'backup',
  about: 'copy the home into a new folder while everything runs',
  details:
    "Temporal's database, the store with its ledger, the log of served queries, artifacts, evidence, people, configuration and the data it names. Private keys stay out, unless --with-keys. The folder must not exist.",
  arguments: [['<folder>', 'a new folder, outside of the home']],
  options: [
    ['--with-keys', 'private keys too: whoever has this backup can sign as you'],
    ['--incomplete', 'go on without artifacts that are named and missing or damaged'],
  ],
  examples: ['pawl backup ../backup-$(date +%F)'],
  input: z.object({ folder: z.string().min(1), withKeys: flag, incomplete: flag }),
  run: async ({ folder, withKeys, incomplete }, context) => {
    context.needStoreFile('backup');
    context.needArtifactFiles('backup');
    const { home, environment, homeSources } = context;
    const services = await servicesOf(home, environment.environment).all();
    const { resolve } = await import('node:path');
    const into = resolve(homeSources.folder, folder);
    const order = { home, into, services, withKeys, incomplete, now: Date.now };
    const made = await context.out.progress('copying', (tell) => copyHome({ ...order, tell }));
    const { manifest, bytes } = made;
    return {
      data: made,
      lines: [
        [good('✓ '), bold(made.folder), dim(` ${manifest.files.length} files, ${bytesOf(bytes)}`)],
        [dim(`the ledger up to row ${manifest.ledger.rows}, Temporal ${manifest.temporal}`)],
        ...keysLines(withKeys),
        ...manifest.missing.map((digest): Line => [warn('! '), `missing: artifact ${digest}`]),
        ...manifest.outside.map((file): Line => [warn('! '), `not in it, for it lies outside the home: ${file}`]),
        ...(manifest.temporal === 'elsewhere'
          ? [[warn('! '), "no database of Temporal lies in this home: back up Temporal's own store before this one"]]
          : []),
      ],
      next: [['Try it', `pawl restore ${made.folder} --into ${made.folder}-tried`]],
    };
  },
});

const keysLines = (withKeys: boolean): Line[] =>
  withKeys
    ? [[warn('! '), 'PRIVATE KEYS ARE IN IT: whoever reads it can sign as these people, and as the ledger']]
    : [[dim('without private keys: keep .pawl/keys apart from it; `pawl restore --keys` takes them')]];
