/** Which canary is meant, and what is known of it. */
import { type Client, type UpdateDefinition, WorkflowNotFoundError } from '@temporalio/client';
import {
  type CanaryEnd,
  type CanaryInput,
  type CanaryStatus,
  canaryStatusQuery,
} from '../contracts/canary-messages.ts';
import { PawlError } from '../contracts/failures.ts';
import { CYCLE_ID, canaryWorkflowId } from '../contracts/ids.ts';
import type { Answer } from '../contracts/messages.ts';
import type { Context } from './context.ts';
import type { CycleChoice, NamedCycle } from './cycles.ts';

export const TYPE = 'canaryPromotion';
export type RunCanary = (input: CanaryInput) => Promise<CanaryEnd>;

/** A canary goes by the name of its cycle. `latest`, or nothing, is the one that started last. */
export const canaryOf = async (context: Context, { cycle = 'latest', service }: CycleChoice): Promise<NamedCycle> => {
  if (cycle !== 'latest' && !CYCLE_ID.test(cycle)) {
    throw new PawlError('Usage', `"${cycle}" is no cycle: expected an id such as si_2026_11_21_001, or latest.`, {
      hint: 'A canary goes by the id of its cycle: `pawl cycle ls` lists them.',
    });
  }
  const services = await context.services();
  const only = service ?? (services.length === 1 ? services[0] : undefined);
  if (cycle !== 'latest' && only !== undefined)
    return { service: only, cycle, workflowId: canaryWorkflowId(only, cycle) };
  const found = await context.ask('looking for the canary', (client) => newest(client, { cycle, service: only }));
  if (found) return found;
  throw new PawlError('NotFound', cycle === 'latest' ? 'There is no canary yet.' : `${cycle} has no canary.`, {
    hint: 'A cycle has one where pawl.yaml has `canary:` (docs/guide/canary.md), once its challenger is approved.',
  });
};

/** Newest first is how visibility orders by itself. */
const newest = async (client: Client, wanted: CycleChoice): Promise<NamedCycle | null> => {
  for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = "${TYPE}"`, pageSize: 50 })) {
    const [, service = '', cycle = ''] = /^pawl:([^:]+):canary:([^:]+)$/.exec(workflowId) ?? [];
    const ofService = wanted.service === undefined || wanted.service === service;
    if (cycle !== '' && ofService && (wanted.cycle === 'latest' || wanted.cycle === cycle))
      return { service, cycle, workflowId };
  }
  return null;
};

export const canaryStatusOf = (context: Context, { cycle, workflowId }: NamedCycle, patienceMs?: number) =>
  context.ask(
    'asking the canary',
    async (client): Promise<CanaryStatus> => {
      const handle = client.workflow.getHandle<RunCanary>(workflowId);
      try {
        const status = await handle.query(canaryStatusQuery);
        if (status.end) return status;
        const { status: closed } = await handle.describe();
        return closed.name === 'RUNNING' || closed.name === 'COMPLETED' ? status : endedAnyway(status, closed.name);
      } catch (cause) {
        throw cause instanceof WorkflowNotFoundError ? notThere(cycle, cause) : cause;
      }
    },
    patienceMs,
  );

/** A workflow that was terminated in the Web UI never says how it ended. */
const endedAnyway = (status: CanaryStatus, closed: string): CanaryStatus => ({
  ...status,
  end: {
    outcome: 'aborted',
    because: `the workflow ended without a report (${closed.toLowerCase()} in Temporal); its cycle puts traffic back`,
    evidence: null,
  },
});

const notThere = (cycle: string, cause: unknown): PawlError =>
  new PawlError('NotFound', `${cycle} has no canary, or Temporal does not know it any more.`, {
    hint: `\`pawl cycle show ${cycle}\` shows where the cycle stands, \`pawl audit show --cycle ${cycle}\` what it did.`,
    cause,
  });

/** Says something to one that runs, and waits for its answer; null: it runs no more. */
export const tellCanary = <M>(
  context: Context,
  { cycle }: NamedCycle,
  workflowId: string,
  update: UpdateDefinition<Answer, [M]>,
  message: M,
): Promise<Answer | null> =>
  context.ask(`waiting for the canary of ${cycle}`, async (client) => {
    try {
      return await client.workflow.getHandle(workflowId).executeUpdate(update, { args: [message] });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  });

export const runsNoMore = (cycle: string): PawlError =>
  new PawlError('NotFound', `The canary of ${cycle} runs no more.`, {
    hint: `\`pawl canary show ${cycle}\` shows how it ended.`,
  });
