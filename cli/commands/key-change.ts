import { z } from 'zod';
import { GRACE_MS } from '../../adapters/access/keyring.ts';
import { duration } from '../../contracts/config-values.ts';
import { command, REASON, reason } from '../command.ts';
import { byUser, KEY_REASON, keyId, keyLine, keyReason, mayChangeKeys, tokenLines, withKeyring } from '../keys.ts';
import { SIGNING, signing } from '../operator.ts';
import { bold, dim, good, warn } from '../text.ts';

const ID = ['<id>', 'as `pawl key ls` shows it'] as const;

export const keyRotate = command({
  name: 'key rotate',
  about: 'give an API key a new secret; the old one holds for a while longer',
  details: 'Id, tenant and role stay. Where the old secret may be in wrong hands, revoke the key and make a new one.',
  arguments: [ID],
  options: [['--grace <duration>', 'how long the old secret holds too (24h); 0s: not at all'], KEY_REASON, ...SIGNING],
  examples: ['pawl key rotate 4f2a91c04f2a91c0', 'pawl key rotate 4f2a91c04f2a91c0 --grace 1h'],
  input: z.object({ ...signing, id: keyId, grace: duration.optional(), reason: keyReason }),
  run: async ({ id, grace = GRACE_MS, reason = `rotate ${id}`, ...signer }, context) =>
    withKeyring(context, async (keys) => {
      await keys.find(id);
      await mayChangeKeys(context, `a new secret for ${id}`, reason, signer);
      const issued = await keys.rotate(id, grace, byUser(reason));
      return {
        data: issued,
        lines: [
          keyLine(issued.key, 'has a new secret'),
          ...tokenLines(issued.token),
          [dim('  The old one holds until '), issued.key.graceUntil, dim('.')],
        ],
      };
    }),
});

export const keyRevoke = command({
  name: 'key revoke',
  about: 'end an API key, at once and for good',
  details: 'Every gateway of this home refuses it from its next request on. Needs no signature, and no store.',
  arguments: [ID],
  options: [REASON],
  examples: ['pawl key revoke 4f2a91c04f2a91c0 --reason "laptop stolen"'],
  input: z.object({ id: keyId, reason }),
  run: async ({ id, reason }, context) => {
    const { key, noted } = await withKeyring(context, (keys) => keys.revoke(id, byUser(reason)));
    if (!noted) context.out.note([warn('The ledger has no row of it'), ': the store cannot be written']);
    return {
      data: { key, noted },
      lines: [[good('✓ '), bold(key.name), `, key ${key.id}, is revoked: it opens nothing from now on`]],
      next: [['See all of them', 'pawl key ls']],
    };
  },
});
