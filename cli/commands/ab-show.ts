import { z } from 'zod';
import type { AbEnd } from '../../contracts/ab-messages.ts';
import { endLine, statusLines } from '../ab-lines.ts';
import { CYCLE, command, OF_SERVICE, serviceName } from '../command.ts';
import type { NamedCycle } from '../cycles.ts';
import { abOf, abStatusOf } from '../evaluations.ts';
import { AB_CODES } from '../exit-codes.ts';
import { followAb } from '../follow-ab.ts';
import { linkTo } from '../links.ts';
import type { Reply } from '../output.ts';
import { dim } from '../text.ts';

const input = z.object({ cycle: z.string().optional(), service: serviceName });

export const abShow = command({
  name: 'ab show',
  about: 'show an A/B evaluation: the gain with its interval over the looks, guardrails, share, what it waits for',
  details:
    'An evaluation goes by the id of its cycle. The intervals hold however often one looks: nothing is lost by looking early.',
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl ab show latest', 'pawl ab show si_2026_11_21_001 --json'],
  input,
  run: async (choice, context) => {
    const named = await abOf(context, choice);
    const status = await abStatusOf(context, named);
    const link = await linkTo(context, named.workflowId);
    const drawing = { plain: !context.environment.colour };
    return {
      data: { ...status, link },
      lines: [...statusLines(status, Date.now(), drawing), ...(link === null ? [] : [[dim(link)]])],
      next: status.end ? nextAfter(named, status.end) : [['Watch it', `pawl ab watch ${named.cycle}`]],
    };
  },
});

export const abWatch = command({
  name: 'ab watch',
  about: 'follow an A/B evaluation until it ends, with a live chart of its gain',
  details:
    'With --json each change is one JSON object on a line of its own. The exit code says how it ended (`pawl help exit-codes`). Ctrl-C ends the watching, not the evaluation.',
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl ab watch latest', 'pawl ab watch si_2026_11_21_001 --json'],
  input,
  run: async (choice, context) => {
    const named = await abOf(context, choice);
    const end = await followAb(context, named);
    return { lines: [endLine(end)], next: nextAfter(named, end), exitCode: AB_CODES[end.outcome] };
  },
});

const nextAfter = ({ cycle }: NamedCycle, { outcome }: AbEnd): NonNullable<Reply['next']> =>
  outcome === 'better'
    ? [['Its canary, where the plan has one', `pawl canary watch ${cycle}`]]
    : [['The story of its cycle', `pawl cycle show ${cycle}`]];
