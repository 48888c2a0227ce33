import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { approveUpdate } from '../../contracts/messages.ts';
import { CYCLE, command, EXPIRES, flag, OF_SERVICE, PRINT, REASON, reason, serviceName } from '../command.ts';
import { confirm } from '../confirm.ts';
import { cycleOf, statusOf } from '../cycles.ts';
import { tokenLife } from '../operator.ts';
import { printed, replyTo, signedMessage, tellCycle } from '../send.ts';
import { approvalLines } from './cycle-show.ts';

export const cycleApprove = command({
  name: 'cycle approve',
  about: 'approve what a cycle waits for, with your signature',
  details:
    'Shows what is approved, asks, and signs exactly that: the step, the variant and the evidence. Off a terminal it needs --yes.',
  arguments: [CYCLE],
  options: [OF_SERVICE, REASON, ['--yes', 'do not ask'], PRINT, EXPIRES],
  examples: ['pawl cycle approve latest --reason "the gain is real, checked by hand"'],
  input: z.object({
    cycle: z.string().optional(),
    service: serviceName,
    reason,
    yes: flag,
    print: flag,
    expires: tokenLife,
  }),
  run: async ({ reason, yes, print, expires, ...choice }, context) => {
    const named = await cycleOf(context, choice);
    const { approval } = await statusOf(context, named);
    if (!approval) {
      throw new PawlError('Refused', `${named.cycle} does not wait for an approval now.`, {
        hint: `\`pawl cycle show ${named.cycle}\` shows where it stands.`,
      });
    }
    for (const line of approvalLines(approval, Date.now())) context.out.note(line);
    if (!yes) await confirm(context.out, `Approve this with your signature?`);

    const { step, variant, evidence } = approval;
    const permission = { action: 'approve', workflow: named.workflowId, step, variant, evidence, reason } as const;
    const signed = { permission, lifeMs: expires };
    if (print) return printed(context, 'signal', signed);
    const answer = await tellCycle(context, approveUpdate, await signedMessage(context, signed), named.workflowId);
    return replyTo(answer, named.cycle, [['Watch it', `pawl cycle watch ${named.cycle}`]]);
  },
});
