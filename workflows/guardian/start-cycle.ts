import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { GuardianMemory } from '../../contracts/guardian.ts';
import { cycleId, cycleWorkflowId } from '../../contracts/ids.ts';
import type { CycleInput, RunningCycle } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';
import { improvementCycle } from '../improvement-cycle.ts';

type Today = GuardianMemory['today'];

interface Remembering {
  readonly remember: (today: Today, cycle: RunningCycle) => void;
  readonly forget: (cycle: string) => void;
}

const detailsOf = ({ request, plan, champion, epoch }: Omit<CycleInput, 'cycle'>): string =>
  [
    `started by ${request.requestedBy.kind} ${request.requestedBy.name}: ${request.reason}`,
    `${plan.environment}, mode ${plan.mode}; champion \`${champion.slice(0, 12)}\`, epoch ${epoch}`,
    `configuration \`${plan.config.slice(0, 12)}\`${plan.commit ? ` at commit \`${plan.commit.slice(0, 12)}\`` : ''}`,
  ].join('\n\n');

/**
 * Starts a cycle that outlives this run of the guardian (a child with the default policy would be terminated when the
 * guardian continues as new). An id is never used twice: a guardian that was started anew after it had been terminated
 * counts on until it finds a free one.
 */
export const startCycle = async (
  input: Omit<CycleInput, 'cycle'>,
  today: Today,
  { remember, forget }: Remembering,
): Promise<RunningCycle> => {
  for (let n = today.lastNumber + 1; ; n++) {
    const cycle = cycleId(today.day, n);
    const workflowId = cycleWorkflowId(input.service, cycle);
    const running = { cycle, workflowId, startedAt: new Date().toISOString(), trigger: input.request.trigger };
    remember({ ...today, admitted: today.admitted + 1, lastNumber: n }, running);
    try {
      await startChild(improvementCycle, {
        workflowId,
        taskQueue: queues.control,
        args: [{ ...input, cycle }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        typedSearchAttributes: attributesOf({ service: input.service, cycle, environment: input.plan.environment }),
        staticSummary: `${input.service} ${cycle}: ${input.request.reason}`.slice(0, 200),
        staticDetails: detailsOf(input),
        // A cycle's tasks are short: one that a killed worker held is given to another after this.
        workflowTaskTimeout: '5s',
      });
      return running;
    } catch (error) {
      forget(cycle);
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }
};
