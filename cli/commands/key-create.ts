import { z } from 'zod';
import { KEY_ROLES } from '../../contracts/access.ts';
import { duration } from '../../contracts/config-values.ts';
import { command } from '../command.ts';
import {
  byUser,
  KEY_REASON,
  keyLine,
  keyReason,
  mayChangeKeys,
  TENANT,
  tenant,
  tokenLines,
  withKeyring,
} from '../keys.ts';
import { SIGNING, signing } from '../operator.ts';

const input = z.object({
  ...signing,
  name: z.string().trim().min(1).max(100),
  role: z.enum(KEY_ROLES, 'is needed: reader, writer or admin'),
  tenant,
  expires: duration.optional(),
  reason: keyReason,
});

export const keyCreate = command({
  name: 'key create',
  about: 'make an API key for the gateway',
  details:
    'The key is printed once: only a hash of it is kept. reader: asks and gives feedback. writer: changes documents and judgements too. admin: keys too. The policy must let whoever makes keys do so (an admin of people.json).',
  arguments: [['<name>', 'what it is for']],
  options: [
    ['--role <role>', KEY_ROLES.join(', ')],
    TENANT,
    ['--expires <duration>', 'how long it holds, such as 90d (until it is revoked)'],
    KEY_REASON,
    ...SIGNING.filter(([form]) => !form.startsWith('--role')),
  ],
  examples: ['pawl key create crawler --role writer', 'pawl key create ada --role admin --expires 90d'],
  input,
  run: async ({ name, role, tenant, expires, reason = `make ${name}`, as, passphraseFile }, context) => {
    await mayChangeKeys(context, `${name} as ${role} of ${tenant}`, reason, { as, passphraseFile });
    const wish = { name, role, tenant, lifeMs: expires ?? null };
    const issued = await withKeyring(context, (keys) => keys.create(wish, byUser(reason)));
    return {
      data: issued,
      lines: [keyLine(issued.key, 'is made'), ...tokenLines(issued.token)],
      next: [['See all of them', 'pawl key ls']],
    };
  },
});
