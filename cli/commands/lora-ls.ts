import { z } from 'zod';
import { command, flag, serviceName } from '../command.ts';
import { linkTo } from '../links.ts';
import { listFineTunes } from '../listed-fine-tunes.ts';
import { bold, head, relative, short, span, table } from '../text.ts';

export const loraLs = command({
  name: 'lora ls',
  about: 'list fine-tunes, newest first, with how far each is and its loss',
  arguments: [['[service]', 'only those of this service']],
  options: [
    ['--running', 'only those that run'],
    ['--limit <n>', 'at most so many (20)'],
  ],
  examples: ['pawl lora ls', 'pawl lora ls docs --running --json'],
  input: z.object({
    service: serviceName,
    running: flag,
    limit: z.coerce.number().int().min(1).max(1_000).default(20),
  }),
  run: async ({ service: named, running, limit }, context) => {
    const service = named === undefined ? undefined : await context.service(named);
    const found = await listFineTunes(context, { service, running, most: limit });
    const runs = await Promise.all(found.map(async (one) => ({ ...one, link: await linkTo(context, one.workflowId) })));
    const [first] = runs;
    if (first === undefined) {
      return { data: [], lines: ['No fine-tunes.'], next: [['Start one', 'pawl lora start --help']] };
    }
    const now = Date.now();
    return {
      data: runs,
      lines: table([
        head('run', 'service', 'state', 'step', 'loss', 'started', 'took', 'adapter', 'link'),
        ...runs.map((one) => [
          bold(one.id),
          one.service,
          one.running ? `in ${one.state}` : one.state,
          one.step === null ? null : `${one.step}${one.steps === null ? '' : `/${one.steps}`}`,
          one.loss?.toFixed(4) ?? null,
          relative(one.startedAt, now),
          span(one.tookMs),
          one.model === null ? null : short(one.model),
          one.link,
        ]),
      ]),
      next: [['Look at one', `pawl lora show ${first.id} --service ${first.service}`]],
    };
  },
});
