/** What lets a cycle go on or go faster: it needs a person's signature. */
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { type CycleStatus, resumeUpdate, skipUpdate } from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import {
  CYCLE,
  command,
  EXPIRES,
  flag,
  OF_SERVICE,
  type PawlCommand,
  PRINT,
  REASON,
  reason,
  serviceName,
} from '../command.ts';
import { cycleOf, statusOf } from '../cycles.ts';
import { SIGNING, signing, tokenLife } from '../operator.ts';
import { printed, replyTo, signedMessage, tellCycle } from '../send.ts';

const loosening = (
  action: 'resume' | 'skip',
  about: string,
  /** The stage that the signature is bound to. */
  stepOf: (status: CycleStatus) => Stage | null,
): PawlCommand =>
  command({
    name: `cycle ${action}`,
    about,
    arguments: [CYCLE],
    options: [OF_SERVICE, REASON, PRINT, EXPIRES, ...SIGNING],
    examples: [`pawl cycle ${action} latest --reason "the incident is over"`],
    input: z.object({
      cycle: z.string().optional(),
      service: serviceName,
      reason,
      print: flag,
      expires: tokenLife,
      ...signing,
    }),
    run: async ({ reason, print, expires, service, cycle, ...signing }, context) => {
      const named = await cycleOf(context, { service, cycle });
      const step = stepOf(await statusOf(context, named));
      const permission = { action, workflow: named.workflowId, step, variant: null, evidence: null, reason };
      const signed = { permission, signing, lifeMs: expires };
      if (print) return printed(context, 'signal', signed);
      const update = action === 'resume' ? resumeUpdate : skipUpdate;
      const answer = await tellCycle(context, update, await signedMessage(context, signed), named.workflowId);
      return replyTo(answer, named.cycle, [['Watch it', `pawl cycle watch ${named.cycle}`]]);
    },
  });

export const cycleResume = loosening('resume', 'let a paused cycle go on, with your signature', () => null);
export const cycleSkip = loosening('skip', 'skip the rest of the watching, with your signature', ({ stage, cycle }) => {
  if (stage === 'watch') return stage;
  throw new PawlError('Refused', `Only watching can be skipped, and ${cycle} is ${stage ? `in ${stage}` : 'over'}.`);
});
