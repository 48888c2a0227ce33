/** What restricts a canary: it needs a reason, no signature. */
import type { UpdateDefinition } from '@temporalio/client';
import { z } from 'zod';
import { undoUpdate } from '../../contracts/canary-messages.ts';
import { PawlError } from '../../contracts/failures.ts';
import { watchWorkflowId } from '../../contracts/ids.ts';
import { type Answer, abortUpdate, pauseUpdate, type Restriction } from '../../contracts/messages.ts';
import { canaryOf, runsNoMore, tellCanary } from '../canaries.ts';
import { CYCLE, command, OF_SERVICE, type PawlCommand, REASON, reason, serviceName } from '../command.ts';
import { nameOfUser } from '../operator.ts';
import { replyTo } from '../send.ts';

interface Restricting {
  readonly name: string;
  readonly about: string;
  readonly details?: string;
  readonly example: string;
  readonly update: UpdateDefinition<Answer, [Restriction]>;
  readonly next: (cycle: string) => readonly [string, string];
}
const input = z.object({ cycle: z.string().optional(), service: serviceName, reason });

const restricting = ({ name, about, details, example, update, next }: Restricting): PawlCommand =>
  command({
    name: `canary ${name}`,
    about,
    ...(details !== undefined && { details }),
    arguments: [CYCLE],
    options: [OF_SERVICE, REASON],
    examples: [example],
    input,
    run: async ({ reason, ...choice }, context) => {
      const named = await canaryOf(context, choice);
      const answer = await tellCanary(context, named, named.workflowId, update, { by: nameOfUser(), reason });
      if (answer === null) throw runsNoMore(named.cycle);
      return replyTo(answer, named.cycle, [next(named.cycle)]);
    },
  });

export const canaryPause = restricting({
  name: 'pause',
  about: 'hold a canary before its next step; what is measured goes on, and a failure still ends it',
  example: 'pawl canary pause latest --reason "deploying the index tonight"',
  update: pauseUpdate,
  next: (cycle) => ['Let it go on', `pawl canary resume ${cycle} --reason "…"`],
});

export const canaryAbort = restricting({
  name: 'abort',
  about: 'end a canary now and put traffic back',
  example: 'pawl canary abort latest --reason "users complain about the order"',
  update: abortUpdate,
  next: (cycle) => ['Its story', `pawl canary show ${cycle}`],
});

/** A canary that runs puts traffic back itself. After a promotion its watch has the former champion brought back. */
export const canaryUndo = command({
  name: 'canary undo',
  about: 'take a canary back, while it runs or after it was promoted',
  details:
    'While the promotion is watched (canary.watch in pawl.yaml) the former champion comes back, as a fix of its own; it is a way back, so no signature is needed. After that, start a cycle with the former champion, or `pawl kill`.',
  arguments: [CYCLE],
  options: [OF_SERVICE, REASON],
  examples: ['pawl canary undo latest --reason "complaints since noon"'],
  input,
  run: async ({ reason, ...choice }, context) => {
    const named = await canaryOf(context, choice);
    const message = { by: nameOfUser(), reason };
    const watch = watchWorkflowId(named.service, named.cycle);
    let refusal: Answer | null = null;
    for (const workflowId of [named.workflowId, watch]) {
      const answer = await tellCanary(context, named, workflowId, undoUpdate, message);
      if (answer?.accepted) return replyTo(answer, named.cycle, [['What serves now', `pawl status ${named.service}`]]);
      refusal = answer ?? refusal;
    }
    if (refusal) return replyTo(refusal, named.cycle);
    throw new PawlError('NotFound', `Neither the canary of ${named.cycle} runs any more, nor a watch after it.`, {
      hint: `\`pawl kill ${named.service} --reason "…"\` brings gold back at once.`,
    });
  },
});
