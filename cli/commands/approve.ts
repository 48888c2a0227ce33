import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { approveUpdate } from '../../contracts/messages.ts';
import { approvalLines } from '../approvals.ts';
import { CYCLE, command, EXPIRES, flag, OF_SERVICE, PRINT, REASON, reason, serviceName } from '../command.ts';
import { confirm } from '../confirm.ts';
import { cycleOf, statusOf } from '../cycles.ts';
import { SIGNING, signing, tokenLife } from '../operator.ts';
import { printed, replyTo, signedMessage, tellCycle } from '../send.ts';

export const approve = command({
  name: 'approve',
  about: 'approve what a cycle waits for, with your signature',
  details:
    'Shows what is approved, asks, and signs exactly that: the step, the variant and the evidence. Off a terminal it needs --yes. `pawl inbox` lists what waits.',
  arguments: [CYCLE],
  options: [OF_SERVICE, REASON, ['--yes', 'do not ask'], PRINT, EXPIRES, ...SIGNING],
  examples: [
    'pawl approve latest --reason "the gain is real, checked by hand"',
    'pawl approve si_2026_11_21_001 --as ada --role approver --reason "…"',
  ],
  input: z.object({
    cycle: z.string().optional(),
    service: serviceName,
    reason,
    yes: flag,
    print: flag,
    expires: tokenLife,
    ...signing,
  }),
  run: async ({ reason, yes, print, expires, service, cycle, ...signing }, context) => {
    const named = await cycleOf(context, { service, cycle });
    const { approval } = await statusOf(context, named);
    if (!approval) {
      throw new PawlError('Refused', `${named.cycle} does not wait for an approval now.`, {
        hint: `\`pawl cycle show ${named.cycle}\` shows where it stands; \`pawl inbox\` shows what waits.`,
      });
    }
    for (const line of approvalLines(approval, Date.now())) context.out.note(line);
    if (!yes) await confirm(context.out, `Approve this with your signature?`);

    const { step, variant, evidence } = approval;
    const permission = { action: 'approve', workflow: named.workflowId, step, variant, evidence, reason } as const;
    const signed = { permission, signing, lifeMs: expires };
    if (print) return printed(context, 'signal', signed);
    const answer = await tellCycle(context, approveUpdate, await signedMessage(context, signed), named.workflowId);
    return replyTo(answer, named.cycle, [['Watch it', `pawl cycle watch ${named.cycle}`]]);
  },
});
