import { z } from 'zod';
import type { CycleStatus } from '../../contracts/messages.ts';
import { approvalLines } from '../approvals.ts';
import { CYCLE, command, OF_SERVICE, serviceName } from '../command.ts';
import { cycleOf, statusOf } from '../cycles.ts';
import { endLine, stageLine } from '../follow.ts';
import { linkTo } from '../links.ts';
import type { Reply } from '../output.ts';
import { bad, bold, dim, good, head, type Line, span, table, warn } from '../text.ts';

export const cycleShow = command({
  name: 'cycle show',
  about: 'show the stages of a cycle, its promises and how it ended',
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl cycle show latest', 'pawl cycle show si_2026_11_21_001 --json'],
  input: z.object({ cycle: z.string().optional(), service: serviceName }),
  run: async (choice, context) => {
    const named = await cycleOf(context, choice);
    const status = await statusOf(context, named);
    const link = await linkTo(context, named.workflowId);
    return { data: { ...status, link }, lines: linesOf(status, link, Date.now()), next: nextOf(status) };
  },
});

const linesOf = (status: CycleStatus, link: string | null, now: number): Line[] => [
  [bold(status.cycle), ` of ${status.service}`, dim(` (${status.environment})`), status.paused ? warn(' paused') : ''],
  ...status.stages.map(stageLine),
  ...(status.approval ? approvalLines(status.approval, now) : []),
  ...promiseLines(status),
  ...(status.end ? [endLine(status.end)] : []),
  ...(link === null ? [] : [[dim(link)]]),
];

const promiseLines = ({ promises }: CycleStatus): Line[] =>
  promises.length === 0
    ? []
    : table([
        head('promise', 'within', 'took', ''),
        ...promises.map(({ stage, withinMs, tookMs, kept }) => [
          stage,
          span(withinMs),
          tookMs === null ? null : span(tookMs),
          kept === null ? dim('open') : kept ? good('kept') : bad('broken'),
        ]),
      ]);

const nextOf = ({ cycle, approval, end }: CycleStatus): NonNullable<Reply['next']> => {
  if (approval) {
    return [
      ['Approve it', `pawl approve ${cycle} --reason "…"`],
      ['Or reject it', `pawl reject ${cycle} --reason "…"`],
    ];
  }
  return end ? [['All cycles', 'pawl cycle ls']] : [['Watch it', `pawl cycle watch ${cycle}`]];
};
