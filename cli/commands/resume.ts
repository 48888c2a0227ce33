import { z } from 'zod';
import { guardianStart } from '../../adapters/temporal/guardian.ts';
import { guardianId } from '../../contracts/ids.ts';
import { resumeUpdate } from '../../contracts/messages.ts';
import { command, EXPIRES, flag, PRINT, REASON, reason, SERVICE, serviceName } from '../command.ts';
import { SIGNING, signing, tokenLife } from '../operator.ts';
import { printed, replyTo, signedMessage, tell } from '../send.ts';

export const resume = command({
  name: 'resume',
  about: 'let a paused service go on, with your signature',
  arguments: [SERVICE],
  options: [REASON, PRINT, EXPIRES, ...SIGNING],
  examples: ['pawl resume --reason "the release is out"', 'pawl resume docs --reason "…" --print'],
  input: z.object({ service: serviceName, reason, print: flag, expires: tokenLife, ...signing }),
  run: async ({ service: named, reason, print, expires, ...signing }, context) => {
    const service = await context.service(named);
    const bound = { step: null, variant: null, evidence: null };
    const permission = { action: 'resume', workflow: guardianId(service), ...bound, reason } as const;
    const signed = { permission, signing, lifeMs: expires };
    if (print) return printed(context, 'signal', signed);
    const message = await signedMessage(context, signed);
    const answer = await tell(context, 'waiting for the guardian', resumeUpdate, message, guardianStart(service));
    return replyTo(answer, service, [['See it', `pawl status ${service}`]]);
  },
});
