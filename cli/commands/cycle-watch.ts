import { z } from 'zod';
import { CYCLE, command, OF_SERVICE, serviceName } from '../command.ts';
import { cycleOf } from '../cycles.ts';
import { OUTCOME_CODES } from '../exit-codes.ts';
import { eventLine, follow } from '../follow.ts';

export const cycleWatch = command({
  name: 'cycle watch',
  about: 'follow a cycle until it ends',
  details:
    'With --json each change is one JSON object on a line of its own. The exit code says how the cycle ended (`pawl help exit-codes`). Ctrl-C ends the watching, not the cycle.',
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl cycle watch latest', 'pawl cycle watch si_2026_11_21_001 --json'],
  input: z.object({ cycle: z.string().optional(), service: serviceName }),
  run: async (choice, context) => {
    const named = await cycleOf(context, choice);
    const { out } = context;
    const { outcome } = await follow(context, named, (event) => {
      if (out.json) out.printJson({ service: named.service, cycle: named.cycle, ...event });
      else out.print(eventLine(event, named.cycle));
    });
    return { lines: [], next: [['Its story', `pawl cycle show ${named.cycle}`]], exitCode: OUTCOME_CODES[outcome] };
  },
});
