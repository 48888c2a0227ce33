import { z } from 'zod';
import { abortUpdate } from '../../contracts/messages.ts';
import { command, OF_SERVICE, REASON, reason, serviceName } from '../command.ts';
import { fixLines } from '../fix-lines.ts';
import { FIX, fixOf, fixStatusOf, tellFix } from '../fixes.ts';
import { linkTo } from '../links.ts';
import { nameOfUser } from '../operator.ts';
import { replyTo } from '../send.ts';
import { dim } from '../text.ts';

export const fixShow = command({
  name: 'fix show',
  about: 'show what a fix found, what it tried, how long that took and how it ended',
  arguments: [FIX],
  options: [OF_SERVICE],
  examples: ['pawl fix show latest', 'pawl fix show fx_2026_11_21_001 --json'],
  input: z.object({ fix: z.string().optional(), service: serviceName }),
  run: async (choice, context) => {
    const one = await fixOf(context, choice);
    // Of one that has ended the ledger tells all there is.
    const status = one.running ? await fixStatusOf(context, one.workflowId) : null;
    const link = await linkTo(context, one.workflowId);
    return {
      data: { ...one, status, link },
      lines: [...fixLines(one, status), ...(link === null ? [] : [[dim(link)]])],
      next: [['What it did', `pawl audit show --cycle ${one.fix}`]],
    };
  },
});

export const fixAbort = command({
  name: 'fix abort',
  about: 'end a fix now; what it has gone back to stays',
  arguments: [FIX],
  options: [OF_SERVICE, REASON],
  examples: ['pawl fix abort latest --reason "I see to it myself"'],
  input: z.object({ fix: z.string().optional(), service: serviceName, reason }),
  run: async ({ reason, ...choice }, context) => {
    const one = await fixOf(context, choice);
    const answer = await tellFix(context, one, abortUpdate, { by: nameOfUser(), reason });
    return replyTo(answer, one.fix, [['What serves now', `pawl status ${one.service}`]]);
  },
});
