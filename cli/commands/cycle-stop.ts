/** What restricts a cycle: it needs a reason, no signature. */
import type { UpdateDefinition } from '@temporalio/client';
import { z } from 'zod';
import { type Answer, abortUpdate, pauseUpdate, type Restriction, rejectUpdate } from '../../contracts/messages.ts';
import { CYCLE, command, OF_SERVICE, type PawlCommand, REASON, reason, serviceName } from '../command.ts';
import { cycleOf } from '../cycles.ts';
import { nameOfUser } from '../operator.ts';
import { replyTo, tellCycle } from '../send.ts';

const restricting = (
  name: string,
  about: string,
  update: UpdateDefinition<Answer, [Restriction]>,
  next: (cycle: string) => readonly [string, string],
): PawlCommand =>
  command({
    name,
    about,
    arguments: [CYCLE],
    options: [OF_SERVICE, REASON],
    examples: [`pawl ${name} latest --reason "the judgements were wrong"`],
    input: z.object({ cycle: z.string().optional(), service: serviceName, reason }),
    run: async ({ reason, ...choice }, context) => {
      const { cycle, workflowId } = await cycleOf(context, choice);
      const answer = await tellCycle(context, update, { by: nameOfUser(), reason }, workflowId);
      return replyTo(answer, cycle, [next(cycle)]);
    },
  });

const story = (cycle: string) => ['Its story', `pawl cycle show ${cycle}`] as const;

export const reject = restricting('reject', 'reject what a cycle waits for', rejectUpdate, story);
export const cycleAbort = restricting('cycle abort', 'end a cycle now and put back what it moved', abortUpdate, story);
export const cyclePause = restricting(
  'cycle pause',
  'hold a cycle before its next stage',
  pauseUpdate,
  (cycle) => ['Let it go on', `pawl cycle resume ${cycle} --reason "…"`] as const,
);
