/** What lets an A/B evaluation go on: it is signed, for what the person looked at. */
import { z } from 'zod';
import { promoteUpdate } from '../../contracts/ab-messages.ts';
import { PawlError } from '../../contracts/failures.ts';
import { resumeUpdate } from '../../contracts/messages.ts';
import { questionLines } from '../ab-lines.ts';
import { CYCLE, command, EXPIRES, flag, OF_SERVICE, PRINT, REASON, reason, serviceName } from '../command.ts';
import { confirm } from '../confirm.ts';
import { abOf, abStatusOf, tellAb } from '../evaluations.ts';
import { SIGNING, signing, tokenLife } from '../operator.ts';
import { printed, replyTo, signedMessage } from '../send.ts';

const signed = {
  ...{ cycle: z.string().optional(), service: serviceName, reason, print: flag, expires: tokenLife },
  ...signing,
};

export const abPromote = command({
  name: 'ab promote',
  about: 'let a challenger go on to its canary where its evaluation asks a person, with your signature',
  details:
    'Shows what is asked, and signs exactly that: this challenger on the report of what was seen. Only a question can be answered: what is undecided is never promoted otherwise. Off a terminal it needs --yes.',
  arguments: [CYCLE],
  options: [OF_SERVICE, REASON, ['--yes', 'do not ask'], PRINT, EXPIRES, ...SIGNING],
  examples: ['pawl ab promote latest --reason "a gain of 2 % is worth it here" --yes'],
  input: z.object({ ...signed, yes: flag }),
  run: async ({ reason, yes, print, expires, service, cycle, ...signing }, context) => {
    const named = await abOf(context, { service, cycle });
    const { question } = await abStatusOf(context, named);
    if (!question) {
      throw new PawlError('Refused', `The evaluation of ${named.cycle} asks nobody now.`, {
        hint: `\`pawl ab show ${named.cycle}\` shows where it stands.`,
      });
    }
    for (const line of questionLines(question, named.cycle, Date.now())) context.out.note(line);
    if (!yes && !print) await confirm(context.out, 'promote with your signature?');
    const { step, variant, evidence } = question;
    const permission = { action: 'promote', workflow: named.workflowId, step, variant, evidence, reason } as const;
    const message = { permission, signing, lifeMs: expires };
    if (print) return printed(context, 'signal', message);
    const answer = await tellAb(context, named, promoteUpdate, await signedMessage(context, message));
    return replyTo(answer, named.cycle, [['Its story', `pawl cycle watch ${named.cycle}`]]);
  },
});

export const abResume = command({
  name: 'ab resume',
  about: 'let a paused A/B evaluation go on, with your signature',
  details: 'It looks at once, and decides on that.',
  arguments: [CYCLE],
  options: [OF_SERVICE, REASON, PRINT, EXPIRES, ...SIGNING],
  examples: ['pawl ab resume latest --reason "the campaign is over"'],
  input: z.object(signed),
  run: async ({ reason, print, expires, service, cycle, ...signing }, context) => {
    const named = await abOf(context, { service, cycle });
    const bound = { step: null, variant: null, evidence: null };
    const permission = { action: 'resume', workflow: named.workflowId, ...bound, reason } as const;
    const message = { permission, signing, lifeMs: expires };
    if (print) return printed(context, 'signal', message);
    const answer = await tellAb(context, named, resumeUpdate, await signedMessage(context, message));
    return replyTo(answer, named.cycle, [['Watch it', `pawl ab watch ${named.cycle}`]]);
  },
});
