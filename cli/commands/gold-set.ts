import { z } from 'zod';
import { guardianStart } from '../../adapters/temporal/guardian.ts';
import { guardianId } from '../../contracts/ids.ts';
import { goldUpdate } from '../../contracts/messages.ts';
import { command, EXPIRES, flag, OF_SERVICE, PRINT, REASON, reason, serviceName } from '../command.ts';
import { SIGNING, signing, tokenLife } from '../operator.ts';
import { printed, replyTo, signedMessage, tell } from '../send.ts';
import { stateOf, variantOf } from '../variants.ts';

export const goldSet = command({
  name: 'gold set',
  about: 'vouch for a variant: it serves whenever the service is killed',
  arguments: [['[variant]', 'digest or its first characters; the champion where nothing is said']],
  options: [OF_SERVICE, REASON, PRINT, EXPIRES, ...SIGNING],
  examples: ['pawl gold set --reason "checked by hand"', 'pawl gold set 4f2a91c0 --service docs --reason "…"'],
  input: z.object({
    variant: z.string().default('champion'),
    service: serviceName,
    reason,
    print: flag,
    expires: tokenLife,
    ...signing,
  }),
  run: async ({ variant: said, service: named, reason, print, expires, ...signing }, context) => {
    const service = await context.service(named);
    const { id, artifact } = await variantOf(context.control, await stateOf(context.control, service), said);
    // Whoever vouches for a variant must have it whole: a damaged one is an error now, not after a kill.
    await context.artifacts.get(artifact);
    const permission = {
      action: 'gold',
      workflow: guardianId(service),
      step: null,
      variant: id,
      evidence: null,
      reason,
    } as const;
    const signed = { permission, signing, lifeMs: expires, beside: { variant: id } };
    if (print) return printed(context, 'update', signed);
    const message = { variant: id, ...(await signedMessage(context, signed)) };
    const answer = await tell(context, 'waiting for the guardian', goldUpdate, message, guardianStart(service));
    return replyTo(answer, service, [['Arm it', `pawl rearm ${service} --reason "…"`]]);
  },
});
