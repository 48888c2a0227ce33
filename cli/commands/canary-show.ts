import { z } from 'zod';
import type { CanaryEnd } from '../../contracts/canary-messages.ts';
import { canaryOf, canaryStatusOf } from '../canaries.ts';
import { endLine, statusLines } from '../canary-lines.ts';
import { CYCLE, command, OF_SERVICE, serviceName } from '../command.ts';
import type { NamedCycle } from '../cycles.ts';
import { CANARY_CODES } from '../exit-codes.ts';
import { followCanary } from '../follow-canary.ts';
import { linkTo } from '../links.ts';
import type { Reply } from '../output.ts';
import { dim } from '../text.ts';

const input = z.object({ cycle: z.string().optional(), service: serviceName });

export const canaryShow = command({
  name: 'canary show',
  about: 'show a canary: its steps, its weight, each metric against the champion, what it waits for',
  details:
    'A canary goes by the id of its cycle. Challenger and champion are drawn on one scale. "notices" says the smallest change that so much traffic can show.',
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl canary show latest', 'pawl canary show si_2026_11_21_001 --json'],
  input,
  run: async (choice, context) => {
    const named = await canaryOf(context, choice);
    const status = await canaryStatusOf(context, named);
    const link = await linkTo(context, named.workflowId);
    return {
      data: { ...status, link },
      lines: [...statusLines(status, Date.now()), ...(link === null ? [] : [[dim(link)]])],
      next: status.end ? nextAfter(named, status.end) : [['Watch it', `pawl canary watch ${named.cycle}`]],
    };
  },
});

export const canaryWatch = command({
  name: 'canary watch',
  about: 'follow a canary until it ends, with live charts of its weight and its metrics',
  details:
    'With --json each change is one JSON object on a line of its own. The exit code says how it ended (`pawl help exit-codes`). Ctrl-C ends the watching, not the canary.',
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl canary watch latest', 'pawl canary watch si_2026_11_21_001 --json'],
  input,
  run: async (choice, context) => {
    const named = await canaryOf(context, choice);
    const end = await followCanary(context, named);
    return { lines: [endLine(end)], next: nextAfter(named, end), exitCode: CANARY_CODES[end.outcome] };
  },
});

const nextAfter = ({ cycle }: NamedCycle, { outcome }: CanaryEnd): NonNullable<Reply['next']> => [
  ['The story of its cycle', `pawl cycle show ${cycle}`],
  ...(outcome === 'promoted' ? [['Take it back', `pawl canary undo ${cycle} --reason "…"`] as const] : []),
];
