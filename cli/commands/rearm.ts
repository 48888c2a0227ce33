import { z } from 'zod';
import { guardianStart, killSwitchStart } from '../../adapters/temporal/guardian.ts';
import { guardianId, KILL_SWITCH_ID } from '../../contracts/ids.ts';
import { rearmUpdate } from '../../contracts/messages.ts';
import { command, EXPIRES, flag, PRINT, REASON, reason, SERVICE, serviceName } from '../command.ts';
import { SIGNING, signing, tokenLife } from '../operator.ts';
import { printed, replyTo, signedMessage, tell } from '../send.ts';

export const rearm = command({
  name: 'rearm',
  about: 'arm a service, the first time or after a kill, with your signature',
  details: '--all lifts the latch of the fleet; each service then stays killed until it is rearmed by name.',
  arguments: [SERVICE],
  options: [['--all', 'lift the latch of the whole fleet'], REASON, PRINT, EXPIRES, ...SIGNING],
  examples: ['pawl rearm --reason "gold was checked"', 'pawl rearm --all --reason "the incident is over"'],
  input: z
    .object({ service: serviceName, all: flag, reason, print: flag, expires: tokenLife, ...signing })
    .refine(({ service, all }) => !(all && service), { path: ['all'], message: 'name a service or --all, not both' }),
  run: async ({ service: named, all, reason, print, expires, ...signing }, context) => {
    const service = all ? null : await context.service(named);
    const workflow = service === null ? KILL_SWITCH_ID : guardianId(service);
    const permission = { action: 'rearm', workflow, step: null, variant: null, evidence: null, reason } as const;
    const signed = { permission, signing, lifeMs: expires };
    if (print) return printed(context, 'signal', signed);

    const message = await signedMessage(context, signed);
    if (service === null) {
      const answer = await tell(context, 'waiting for the kill switch', rearmUpdate, message, killSwitchStart());
      return replyTo(answer, 'the fleet', [['Then each service', 'pawl rearm SERVICE --reason "…"']]);
    }
    const answer = await tell(context, 'waiting for the guardian', rearmUpdate, message, guardianStart(service));
    return replyTo(answer, service, [['Start a cycle', `pawl cycle start ${service}`]]);
  },
});
