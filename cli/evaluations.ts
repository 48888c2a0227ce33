/** Which A/B evaluation is meant, and what is known of it. */
import { type Client, type UpdateDefinition, WorkflowNotFoundError } from '@temporalio/client';
import { type AbEnd, type AbInput, type AbStatus, abStatusQuery } from '../contracts/ab-messages.ts';
import { PawlError } from '../contracts/failures.ts';
import { abWorkflowId, CYCLE_ID } from '../contracts/ids.ts';
import type { Answer } from '../contracts/messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import type { Context } from './context.ts';
import type { CycleChoice, NamedCycle } from './cycles.ts';

type RunAb = (input: AbInput) => Promise<AbEnd>;

/** An evaluation goes by the name of its cycle. `latest`, or nothing, is the one that started last. */
export const abOf = async (context: Context, { cycle = 'latest', service }: CycleChoice): Promise<NamedCycle> => {
  if (cycle !== 'latest' && !CYCLE_ID.test(cycle)) {
    throw new PawlError('Usage', `"${cycle}" is no cycle: expected an id such as si_2026_11_21_001, or latest.`, {
      hint: 'An A/B evaluation goes by the id of its cycle: `pawl cycle ls` lists them.',
    });
  }
  const services = await context.services();
  const only = service ?? (services.length === 1 ? services[0] : undefined);
  if (cycle !== 'latest' && only !== undefined) return { service: only, cycle, workflowId: abWorkflowId(only, cycle) };
  const found = await context.ask('looking for the evaluation', (client) => newest(client, { cycle, service: only }));
  if (found) return found;
  const what = cycle === 'latest' ? 'There is no A/B evaluation yet.' : `${cycle} has no A/B evaluation.`;
  throw new PawlError('NotFound', what, {
    hint: 'A cycle has one where pawl.yaml has `ab:` (docs/guide/ab.md), once its challenger is approved.',
  });
};

/** Newest first is how visibility orders by itself. */
const newest = async (client: Client, wanted: CycleChoice): Promise<NamedCycle | null> => {
  const query = [
    'WorkflowType = "abEvaluation"',
    ...(wanted.service === undefined ? [] : [`${searchAttributes.service.name} = "${wanted.service}"`]),
  ].join(' AND ');
  for await (const { workflowId } of client.workflow.list({ query, pageSize: 50 })) {
    const [, service = '', cycle = ''] = /^pawl:([^:]+):ab:([^:]+)$/.exec(workflowId) ?? [];
    if (cycle !== '' && (wanted.cycle === 'latest' || wanted.cycle === cycle)) return { service, cycle, workflowId };
  }
  return null;
};

export const abStatusOf = (context: Context, { cycle, workflowId }: NamedCycle): Promise<AbStatus> =>
  context.ask('asking the evaluation', async (client) => {
    const handle = client.workflow.getHandle<RunAb>(workflowId);
    try {
      const status = await handle.query(abStatusQuery);
      if (status.end) return status;
      const { status: closed } = await handle.describe();
      return closed.name === 'RUNNING' || closed.name === 'COMPLETED' ? status : endedAnyway(status, closed.name);
    } catch (cause) {
      if (!(cause instanceof WorkflowNotFoundError)) throw cause;
      throw new PawlError('NotFound', `${cycle} has no A/B evaluation, or Temporal does not know it any more.`, {
        hint: `\`pawl cycle show ${cycle}\` shows where the cycle stands, \`pawl audit show --cycle ${cycle}\` what it did.`,
        cause,
      });
    }
  });

/** A workflow that was terminated in the Web UI, or has failed, never says how it ended. */
const endedAnyway = (status: AbStatus, closed: string): AbStatus => ({
  ...{ ...status, state: 'ended', nextLookAt: null, question: null },
  end: {
    outcome: 'aborted',
    because: `the workflow ended without a report (${closed.toLowerCase()} in Temporal); its cycle puts traffic back`,
    ...{ finding: status.finding, evidence: null },
  },
});

/** Says something to one that runs, and waits for its answer. */
export const tellAb = <Args extends unknown[]>(
  context: Context,
  { cycle, workflowId }: NamedCycle,
  update: UpdateDefinition<Answer, Args>,
  ...args: Args
): Promise<Answer> =>
  context.ask(`waiting for the evaluation of ${cycle}`, async (client) => {
    try {
      // The client knows messages with and without content apart; here they are one.
      const message = update as unknown as UpdateDefinition<Answer, [unknown]>;
      return await client.workflow.getHandle(workflowId).executeUpdate(message, { args: args as unknown as [unknown] });
    } catch (cause) {
      if (!(cause instanceof WorkflowNotFoundError)) throw cause;
      throw new PawlError('NotFound', `${cycle} has no A/B evaluation that runs.`, {
        hint: `\`pawl ab show ${cycle}\` shows how it ended.`,
        cause,
      });
    }
  });
