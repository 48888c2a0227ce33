import { z } from 'zod';
import { command } from '../command.ts';
import { byUser, KEY_REASON, keyReason, mayChangeKeys, TENANT, tenant, withKeyring } from '../keys.ts';
import { SIGNING, signing } from '../operator.ts';
import { bold, dim, good } from '../text.ts';

export const keyInvite = command({
  name: 'key invite',
  about: 'print a token with which somebody elsewhere makes the first admin key of a tenant',
  details:
    'It is good for 15 minutes, once. Whoever has it sends it to POST /v1/keys/claim of the gateway and gets an API key of role admin, which nobody else has ever seen.',
  options: [TENANT, KEY_REASON, ...SIGNING],
  examples: ['pawl key invite', 'pawl key invite --tenant acme'],
  input: z.object({ ...signing, tenant, reason: keyReason }),
  run: async ({ tenant, reason = `invite an admin of ${tenant}`, ...signer }, context) => {
    await mayChangeKeys(context, `an invitation to be an admin of ${tenant}`, reason, signer);
    const invitation = await withKeyring(context, (keys) => keys.invite(tenant, byUser(reason)));
    const body = `'{"token": "${invitation.token}", "name": "first admin"}'`;
    return {
      data: invitation,
      lines: [
        [good('✓ '), `an invitation to be an admin of tenant ${tenant}, until ${invitation.expiresAt}, once`],
        ['  ', bold(invitation.token)],
        [dim('  Whoever got it sends it to the gateway, and is answered with the key:')],
        [`  curl -H 'content-type: application/json' -d ${body} GATEWAY/v1/keys/claim`],
      ],
    };
  },
});
