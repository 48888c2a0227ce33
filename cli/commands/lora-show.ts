import { z } from 'zod';
import { command, OF_SERVICE, serviceName } from '../command.ts';
import { LORA, loraOf, viewOf } from '../fine-tunes.ts';
import { followLora } from '../follow-lora.ts';
import { linkTo } from '../links.ts';
import { statusLines } from '../lora-lines.ts';
import { ended } from '../lora-start.ts';
import { dim } from '../text.ts';

const input = z.object({ run: z.string().optional(), service: serviceName });

export const loraShow = command({
  name: 'lora show',
  about: 'show how far a fine-tune is, its loss, its evaluation and how it ended',
  arguments: [LORA],
  options: [OF_SERVICE],
  examples: ['pawl lora show latest', 'pawl lora show lo_20261121_142530 --json'],
  input,
  run: async (choice, context) => {
    const named = await loraOf(context, choice);
    const view = await viewOf(context, named);
    const link = await linkTo(context, named.workflowId);
    const { end } = view.status;
    return {
      data: { ...view.status, now: view.now, link },
      lines: [...statusLines(view), ...(link === null ? [] : [[dim(link)]])],
      next: end ? (ended(named, end).next ?? []) : [['Watch it', `pawl lora watch ${named.id}`]],
    };
  },
});

export const loraWatch = command({
  name: 'lora watch',
  about: 'follow a fine-tune until it ends, with its loss, its speed and the time that is left',
  details:
    'With --json each change is one JSON object on a line of its own. The exit code says how it ended (`pawl help exit-codes`). Ctrl-C ends the watching, not the training.',
  arguments: [LORA],
  options: [OF_SERVICE],
  examples: ['pawl lora watch latest', 'pawl lora watch lo_20261121_142530 --json'],
  input,
  run: async (choice, context) => {
    const named = await loraOf(context, choice);
    const { data: _, ...reply } = ended(named, await followLora(context, named));
    return reply;
  },
});
