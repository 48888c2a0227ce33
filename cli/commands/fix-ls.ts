import { z } from 'zod';
import { command, flag, serviceName } from '../command.ts';
import { listFixes } from '../fixes.ts';
import { linkTo } from '../links.ts';
import { bold, head, relative, span, table } from '../text.ts';

export const fixLs = command({
  name: 'fix ls',
  about: 'list fixes, newest first: what broke, what helped and how long it took',
  arguments: [['[service]', 'only those of this service']],
  options: [
    ['--running', 'only those that run'],
    ['--limit <n>', 'at most so many (20)'],
  ],
  examples: ['pawl fix ls', 'pawl fix ls docs --running --json'],
  input: z.object({
    service: serviceName,
    running: flag,
    limit: z.coerce.number().int().min(1).max(1_000).default(20),
  }),
  run: async ({ service: named, running, limit }, context) => {
    const service = named === undefined ? undefined : await context.service(named);
    const found = (await listFixes(context, service)).filter((one) => one.running || !running).slice(0, limit);
    const fixes = await Promise.all(
      found.map(async (one) => ({ ...one, link: await linkTo(context, one.workflowId) })),
    );
    const [first] = fixes;
    if (first === undefined) {
      return { data: [], lines: ['No fixes.'], next: [['Go back to the champion before', 'pawl fix start --help']] };
    }
    const now = Date.now();
    return {
      data: fixes,
      lines: table([
        head('fix', 'service', 'symptoms', 'state', 'remedy', 'started', 'took', 'asked for by'),
        ...fixes.map((one) => [
          bold(one.fix),
          one.service,
          one.symptoms.join(', ') || null,
          one.running ? 'runs' : one.outcome,
          one.remedy,
          relative(one.startedAt, now),
          span(one.tookMs),
          one.requestedBy,
        ]),
      ]),
      next: [['Look at one', `pawl fix show ${first.fix} --service ${first.service}`]],
    };
  },
});
