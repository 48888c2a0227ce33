import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { guardianId } from '../../contracts/ids.ts';
import { type ApprovalRequest, cycleStatusQuery, guardianStatusQuery } from '../../contracts/messages.ts';
import { approvedSoFar, askedBy, objectionTo } from '../approvals.ts';
import { command, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import type { NamedCycle } from '../cycles.ts';
import { linkTo } from '../links.ts';
import { signerOf } from '../operator.ts';
import { bold, dim, good, type Line, relative, short, warn } from '../text.ts';

interface Waiting extends NamedCycle, ApprovalRequest {
  readonly link: string | null;
  /** Why you cannot approve it; null where nothing is known that stands against it. */
  readonly notYou: string | null;
}

export const inbox = command({
  name: 'inbox',
  about: 'list the approvals that wait, over all services',
  details:
    'Says which of them you cannot approve yourself: what you asked for, and what you approved already. The policy may refuse others.',
  arguments: [['[service]', 'only of this service']],
  options: [['--as <name>', "who looks (PAWL_PERSON, else the only key here, else the operator's)"]],
  examples: ['pawl inbox', 'pawl inbox docs --as grace --json'],
  input: z.object({ service: serviceName, as: z.string().optional() }),
  run: async ({ service: named, as }, context) => {
    const services = named === undefined ? await context.services() : [await context.service(named)];
    const you = await nameOfYou(context, as);
    const found = await context.ask('asking the cycles', (client) =>
      Promise.all(services.map((service) => waitingOf(client, service))),
    );
    const waiting: readonly Waiting[] = await Promise.all(
      found.flat().map(async (one) => ({
        ...one,
        link: await linkTo(context, one.workflowId),
        notYou: you === null ? null : objectionTo(one, you),
      })),
    );
    const yours = waiting.find(({ notYou }) => notYou === null);
    return {
      data: { you, waiting },
      lines:
        waiting.length === 0 ? ['Nothing waits for a person.'] : waiting.flatMap((one) => linesOf(one, Date.now())),
      next: yours
        ? [
            ['Approve it', `pawl approve ${yours.cycle} --service ${yours.service} --reason "…"`],
            ['Or reject it', `pawl reject ${yours.cycle} --service ${yours.service} --reason "…"`],
          ]
        : [['All cycles', 'pawl cycle ls']],
    };
  },
});

/** Whoever has no key here may still look. */
const nameOfYou = async (context: Context, as: string | undefined): Promise<string | null> => {
  if (as !== undefined) return as;
  return signerOf(context, {}).then(
    ({ person }) => person.name,
    () => null,
  );
};

const waitingOf = async (client: Client, service: string): Promise<Array<NamedCycle & ApprovalRequest>> => {
  const cycles = await Promise.all(
    (await runningOf(client, service)).map(async ({ workflowId, cycle }) => {
      const { approval } = await client.workflow.getHandle(workflowId).query(cycleStatusQuery);
      return approval ? [{ service, cycle, workflowId, ...approval }] : [];
    }),
  );
  return cycles.flat();
};

/** A guardian that was never started runs no cycle. */
const runningOf = async (client: Client, service: string) => {
  try {
    return (await client.workflow.getHandle(guardianId(service)).query(guardianStatusQuery)).running;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
};

const linesOf = (one: Waiting, now: number): Line[] => [
  [bold(one.cycle), ` of ${one.service}: ${one.step} ${short(one.variant)}, expires ${relative(one.expiresAt, now)}`],
  [dim('  summary   '), one.summary],
  [dim('  variant   '), one.variant],
  [dim('  evidence  '), one.evidence],
  [dim('  asked by  '), askedBy(one)],
  [dim('  approved  '), approvedSoFar(one)],
  one.notYou === null
    ? [dim('  you       '), good('may decide')]
    : [dim('  you       '), warn(`cannot: ${one.notYou}`)],
  ...(one.link === null ? [] : [[dim(`  ${one.link}`)]]),
];
