/** What ends a fine-tune, and what goes on from where one was ended. */
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import type { LoraInput } from '../../contracts/lora.ts';
import { abortUpdate } from '../../contracts/messages.ts';
import { command, flag, OF_SERVICE, REASON, reason, serviceName } from '../command.ts';
import { inputOf, LORA, loraOf, newLoraId, tellLora, viewOf } from '../fine-tunes.ts';
import { startFineTune, WAIT } from '../lora-start.ts';
import { nameOfUser, SIGNING, signing } from '../operator.ts';
import { replyTo } from '../send.ts';

export const loraAbort = command({
  name: 'lora abort',
  about: 'end a fine-tune now, with a checkpoint of what it has learned',
  arguments: [LORA],
  options: [OF_SERVICE, REASON],
  examples: ['pawl lora abort latest --reason "the data was wrong"'],
  input: z.object({ run: z.string().optional(), service: serviceName, reason }),
  run: async ({ reason, ...choice }, context) => {
    const named = await loraOf(context, choice);
    const answer = await tellLora(context, named, abortUpdate, { by: nameOfUser(), reason });
    return replyTo(answer, named.id, [['Go on from its checkpoint', `pawl lora resume ${named.id} --reason "…"`]]);
  },
});

export const loraResume = command({
  name: 'lora resume',
  about: 'go on from the last checkpoint of a fine-tune that failed or was aborted',
  details:
    'A new fine-tune with the same data, plan and seed: it ends with the adapter that the first would have ended with.',
  arguments: [LORA],
  options: [
    OF_SERVICE,
    REASON,
    ['--unsigned', 'start without a signature; the policy may refuse that'],
    ...SIGNING,
    WAIT,
  ],
  examples: ['pawl lora resume latest --reason "the disk has room again" --wait'],
  input: z.object({
    ...{ run: z.string().optional(), service: serviceName, reason, unsigned: flag, wait: flag },
    ...signing,
  }),
  run: async ({ run, service, reason, ...starting }, context) => {
    const named = await loraOf(context, { run, service });
    const { end } = (await viewOf(context, named)).status;
    if (!end)
      throw new PawlError('Refused', `${named.id} still runs.`, {
        hint: `Abort it first: pawl lora abort ${named.id}`,
      });
    if (end.outcome === 'trained') throw new PawlError('Refused', `${named.id} was trained to its end.`);
    if (!end.last || !end.data) {
      throw new PawlError('NotFound', `${named.id} has left no checkpoint.`, {
        hint: 'Start it anew: pawl lora start',
      });
    }
    const { token: _, memory: __, ...before } = await inputOf(context, named);
    const from = { run: named.id, data: end.data, checkpoint: end.last.checkpoint, step: end.last.step };
    const input: LoraInput = { ...before, id: newLoraId(new Date()), reason, from };
    return startFineTune(context, input, starting);
  },
});
