/** What lets a canary go on: it is signed, for what the person looked at. */
import type { UpdateDefinition } from '@temporalio/client';
import { z } from 'zod';
import { type CanaryStatus, promoteUpdate, retryUpdate } from '../../contracts/canary-messages.ts';
import { PawlError } from '../../contracts/failures.ts';
import { type Answer, type Loosening, resumeUpdate, skipUpdate } from '../../contracts/messages.ts';
import { canaryOf, canaryStatusOf, runsNoMore, tellCanary } from '../canaries.ts';
import { questionLines } from '../canary-lines.ts';
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
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { type Permission, SIGNING, signing, tokenLife } from '../operator.ts';
import { printed, replyTo, signedMessage } from '../send.ts';

/** What a signature is bound to. */
type Bound = Pick<Permission, 'step' | 'variant' | 'evidence'>;
interface Steering {
  readonly action: 'promote' | 'retry' | 'skip' | 'resume';
  readonly about: string;
  readonly details: string;
  readonly example: string;
  readonly update: UpdateDefinition<Answer, [Loosening]>;
  readonly boundTo: (status: CanaryStatus) => Bound;
}

const input = z.object({
  cycle: z.string().optional(),
  service: serviceName,
  reason,
  yes: flag,
  print: flag,
  expires: tokenLife,
  ...signing,
});

const steering = ({ action, about, details, example, update, boundTo }: Steering): PawlCommand =>
  command({
    name: `canary ${action}`,
    about,
    details: `${details} Off a terminal it needs --yes.`,
    arguments: [CYCLE],
    options: [OF_SERVICE, REASON, ['--yes', 'do not ask'], PRINT, EXPIRES, ...SIGNING],
    examples: [example],
    input,
    run: async ({ reason, yes, print, expires, service, cycle, ...signing }, context) => {
      const named = await canaryOf(context, { service, cycle });
      const status = await canaryStatusOf(context, named);
      if (status.end) throw runsNoMore(named.cycle);
      const bound = boundTo(status);
      await show(context, status, yes || print, `${action} with your signature?`);
      const permission = { action, workflow: named.workflowId, ...bound, reason };
      const signed = { permission, signing, lifeMs: expires };
      if (print) return printed(context, 'signal', signed);
      const message = await signedMessage(context, signed);
      const answer = await tellCanary(context, named, named.workflowId, update, message);
      if (answer === null) throw runsNoMore(named.cycle);
      return replyTo(answer, named.cycle, [['Watch it', `pawl canary watch ${named.cycle}`]]);
    },
  });

const show = async ({ out }: Context, status: CanaryStatus, unasked: boolean, question: string): Promise<void> => {
  if (status.waitsFor) for (const line of questionLines(status.waitsFor, status.cycle, Date.now())) out.note(line);
  if (!unasked) await confirm(out, question);
};

const question = ({ waitsFor, cycle }: CanaryStatus): Bound => {
  if (waitsFor) return { step: waitsFor.step, variant: waitsFor.variant, evidence: waitsFor.evidence };
  throw new PawlError('Refused', `The canary of ${cycle} waits for nobody now.`, {
    hint: `\`pawl canary show ${cycle}\` shows where it stands; \`pawl canary skip\` passes over its present step.`,
  });
};

export const canaryPromote = steering({
  action: 'promote',
  about: 'let a canary that waits for a person go on, with your signature',
  details:
    'Shows what it waits for, and signs exactly that: the step, the variant and the evidence. It goes on with the next step, or with the promotion after the last.',
  example: 'pawl canary promote latest --reason "the doubtful metric is a known outage elsewhere" --yes',
  update: promoteUpdate,
  boundTo: question,
});

export const canaryRetry = steering({
  action: 'retry',
  about: 'have what did not say enough measured anew, with your signature',
  details: 'For a canary that holds: its analysis begins again, or its requests are counted once more.',
  example: 'pawl canary retry latest --reason "the load test is over" --yes',
  update: retryUpdate,
  boundTo: question,
});

export const canarySkip = steering({
  action: 'skip',
  about: 'pass over the present step of a canary, with your signature',
  details: 'A pause or an analysis that runs; the analysis in the background goes on.',
  example: 'pawl canary skip latest --reason "long enough at 5 %" --yes',
  update: skipUpdate,
  boundTo: ({ step, cycle }) => {
    if (step !== null) return { step, variant: null, evidence: null };
    throw new PawlError('Refused', `The canary of ${cycle} is in no step now.`, {
      hint: `\`pawl canary show ${cycle}\` shows where it stands.`,
    });
  },
});

export const canaryResume = steering({
  action: 'resume',
  about: 'let a paused canary go on, with your signature',
  details: 'It goes on with its next step. What is measured in the background was measured all the while.',
  example: 'pawl canary resume latest --reason "the incident is over" --yes',
  update: resumeUpdate,
  boundTo: () => ({ step: null, variant: null, evidence: null }),
});
