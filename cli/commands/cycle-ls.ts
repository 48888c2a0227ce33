import { z } from 'zod';
import { command, flag, serviceName } from '../command.ts';
import { listCycles } from '../cycles.ts';
import { linkTo } from '../links.ts';
import { bold, head, relative, span, table } from '../text.ts';

export const cycleLs = command({
  name: 'cycle ls',
  about: 'list cycles, newest first',
  arguments: [['[service]', 'only the cycles of this service']],
  options: [
    ['--running', 'only those that run'],
    ['--limit <n>', 'at most so many (20)'],
  ],
  examples: ['pawl cycle ls', 'pawl cycle ls docs --running --json'],
  input: z.object({
    service: serviceName,
    running: flag,
    limit: z.coerce.number().int().min(1).max(1_000).default(20),
  }),
  run: async ({ service: named, running, limit }, context) => {
    const service = named === undefined ? undefined : await context.service(named);
    const found = await context.ask('listing cycles', (client) =>
      listCycles(client, { service, running, most: limit }),
    );
    const cycles = await Promise.all(
      found.map(async (one) => ({ ...one, link: await linkTo(context, one.workflowId) })),
    );
    const [first] = cycles;
    if (first === undefined) {
      return { data: [], lines: ['No cycles yet.'], next: [['Start one', 'pawl cycle start']] };
    }
    const now = Date.now();
    return {
      data: cycles,
      lines: table([
        head('cycle', 'service', 'state', 'started', 'took', 'link'),
        ...cycles.map((one) => [
          bold(one.cycle),
          one.service,
          one.running ? `in ${one.state}` : one.state,
          relative(one.startedAt, now),
          span(one.tookMs),
          one.link,
        ]),
      ]),
      next: [['Look at one', `pawl cycle show ${first.cycle}`]],
    };
  },
});
