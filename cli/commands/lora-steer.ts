/** What is said to a fine-tune that goes on. Neither loosens anything: `--most-steps` was asked for when it was started. */
import { z } from 'zod';
import { checkpointNowUpdate, extendUpdate } from '../../contracts/lora-messages.ts';
import { command, OF_SERVICE, serviceName } from '../command.ts';
import { LORA, loraOf, tellLora } from '../fine-tunes.ts';
import { replyTo } from '../send.ts';

export const loraExtend = command({
  name: 'lora extend',
  about: 'train more steps than were planned, while it trains',
  details:
    'As far as --most-steps of `pawl lora start` went: that is what was allowed, so this needs no signature. The learning rate falls over the longer way from then on.',
  arguments: [LORA],
  options: [OF_SERVICE, ['--steps <n>', 'so many more']],
  examples: ['pawl lora extend latest --steps 40'],
  input: z.object({
    run: z.string().optional(),
    service: serviceName,
    steps: z.coerce.number('is needed: say how many').int('expected a whole number').positive(),
  }),
  run: async ({ steps, ...choice }, context) => {
    const named = await loraOf(context, choice);
    const answer = await tellLora(context, named, extendUpdate, { steps });
    return replyTo(answer, named.id, [['Watch it', `pawl lora watch ${named.id}`]]);
  },
});

export const loraCheckpoint = command({
  name: 'lora checkpoint',
  about: 'write a checkpoint at the next step, and go on',
  arguments: [LORA],
  options: [OF_SERVICE],
  examples: ['pawl lora checkpoint latest'],
  input: z.object({ run: z.string().optional(), service: serviceName }),
  run: async (choice, context) => {
    const named = await loraOf(context, choice);
    const answer = await tellLora(context, named, checkpointNowUpdate);
    return replyTo(answer, named.id, [['See it', `pawl lora show ${named.id}`]]);
  },
});
