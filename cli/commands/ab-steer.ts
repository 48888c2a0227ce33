/** What is said to an A/B evaluation without a signature: it looks, or it restricts. */
import type { UpdateDefinition } from '@temporalio/client';
import { z } from 'zod';
import { lookUpdate } from '../../contracts/ab-messages.ts';
import { type Answer, abortUpdate, pauseUpdate, type Restriction, rejectUpdate } from '../../contracts/messages.ts';
import { CYCLE, command, OF_SERVICE, type PawlCommand, REASON, reason, serviceName } from '../command.ts';
import { abOf, tellAb } from '../evaluations.ts';
import { nameOfUser } from '../operator.ts';
import { replyTo } from '../send.ts';

export const abLook = command({
  name: 'ab look',
  about: 'have an A/B evaluation look now, and not when its next look is due',
  details: 'What it finds is held against the same bounds: looking more often gains nothing and costs nothing.',
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl ab look latest'],
  input: z.object({ cycle: z.string().optional(), service: serviceName }),
  run: async (choice, context) => {
    const named = await abOf(context, choice);
    const answer = await tellAb(context, named, lookUpdate);
    return replyTo(answer, named.cycle, [['See what it found', `pawl ab show ${named.cycle}`]]);
  },
});

interface Restricting {
  readonly name: string;
  readonly about: string;
  readonly details?: string;
  readonly example: string;
  readonly update: UpdateDefinition<Answer, [Restriction]>;
  readonly next: (cycle: string) => readonly [string, string];
}

const restricting = ({ name, about, details, example, update, next }: Restricting): PawlCommand =>
  command({
    name: `ab ${name}`,
    about,
    ...(details !== undefined && { details }),
    arguments: [CYCLE],
    options: [OF_SERVICE, REASON],
    examples: [example],
    input: z.object({ cycle: z.string().optional(), service: serviceName, reason }),
    run: async ({ reason, ...choice }, context) => {
      const named = await abOf(context, choice);
      const answer = await tellAb(context, named, update, { by: nameOfUser(), reason });
      return replyTo(answer, named.cycle, [next(named.cycle)]);
    },
  });

const story = (cycle: string) => ['Its story', `pawl ab show ${cycle}`] as const;

export const abPause = restricting({
  name: 'pause',
  about: 'give the challenger no more, and decide nothing, until a signed resume',
  details:
    'Shares and subjects stay, looks go on, and so does its clock. Harm still ends it: a pause needs no signature, so it must not keep harm going.',
  example: 'pawl ab pause latest --reason "a campaign distorts the traffic"',
  update: pauseUpdate,
  next: (cycle) => ['Let it go on', `pawl ab resume ${cycle} --reason "…"`],
});

export const abReject = restricting({
  name: 'reject',
  about: 'say no where an A/B evaluation asks a person; the champion stays',
  example: 'pawl ab reject latest --reason "the gain is not worth the cost"',
  update: rejectUpdate,
  next: story,
});

export const abAbort = restricting({
  name: 'abort',
  about: 'end an A/B evaluation now and put traffic back',
  example: 'pawl ab abort latest --reason "users complain about the order"',
  update: abortUpdate,
  next: story,
});
