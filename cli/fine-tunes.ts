/** Which fine-tune is meant, and what is known of it. */
import { type Client, type UpdateDefinition, WorkflowNotFoundError } from '@temporalio/client';
import { PawlError } from '../contracts/failures.ts';
import { loraWorkflowId } from '../contracts/ids.ts';
import type { LoraInput } from '../contracts/lora.ts';
import { type LoraEnd, type LoraStatus, loraStatusQuery } from '../contracts/lora-messages.ts';
import type { Answer } from '../contracts/messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import type { Described } from './command.ts';
import type { Context } from './context.ts';
import { type LegNow, legNow } from './leg-now.ts';

export const LORA: Described = ['[run]', 'id such as lo_20261121_142530, or `latest`'];
const LORA_ID = /^lo_[a-z0-9_]{1,60}$/;
export const TYPE = 'loraFineTune';

export interface LoraChoice {
  readonly run?: string | undefined;
  readonly service?: string | undefined;
}
export interface NamedLora {
  readonly service: string;
  readonly id: string;
  readonly workflowId: string;
}
export type StartLora = (input: LoraInput) => Promise<LoraEnd>;

export const newLoraId = (now: Date): string =>
  `lo_${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_')}`;

/** `latest`, or nothing, is the one that started last. */
export const loraOf = async (context: Context, { run = 'latest', service }: LoraChoice): Promise<NamedLora> => {
  if (run !== 'latest' && !LORA_ID.test(run)) {
    throw new PawlError('Usage', `"${run}" is no fine-tune: expected an id such as lo_20261121_142530, or latest.`);
  }
  const services = await context.services();
  const only = service ?? (services.length === 1 ? services[0] : undefined);
  if (run !== 'latest' && only !== undefined) return { service: only, id: run, workflowId: loraWorkflowId(only, run) };
  const found = await context.ask('looking for the fine-tune', (client) => newest(client, only, run));
  if (found) return found;
  throw new PawlError('NotFound', run === 'latest' ? 'There is no fine-tune yet.' : `There is no fine-tune ${run}.`, {
    hint: run === 'latest' ? '`pawl lora start --help` shows how one is started.' : '`pawl lora ls` lists them.',
  });
};

/** Newest first is how visibility orders by itself. */
const newest = async (client: Client, service: string | undefined, run: string): Promise<NamedLora | null> => {
  const query = [
    `WorkflowType = "${TYPE}"`,
    ...(service === undefined ? [] : [`${searchAttributes.service.name} = "${service}"`]),
    ...(run === 'latest' || service === undefined ? [] : [`WorkflowId = "${loraWorkflowId(service, run)}"`]),
  ].join(' AND ');
  for await (const { workflowId } of client.workflow.list({ query, pageSize: 50 })) {
    const named = namedIn(workflowId);
    if (named && (run === 'latest' || named.id === run)) return named;
  }
  return null;
};

export const namedIn = (workflowId: string): NamedLora | null => {
  const [, service, id] = /^pawl:([^:]+):lora:([^:]+)$/.exec(workflowId) ?? [];
  return service && id ? { service, id, workflowId } : null;
};

export interface LoraView {
  readonly status: LoraStatus;
  /** What the worker of the leg that runs now has said last. */
  readonly now: LegNow | null;
}

export const viewOf = (context: Context, { workflowId }: NamedLora, patienceMs?: number): Promise<LoraView> =>
  context.ask(
    'asking the fine-tune',
    async (client) => {
      const handle = client.workflow.getHandle<StartLora>(workflowId);
      const status = await handle.query(loraStatusQuery);
      if (status.end) return { status, now: null };
      const { raw, status: closed } = await handle.describe();
      if (closed.name !== 'RUNNING' && closed.name !== 'COMPLETED')
        return { status: endedAnyway(status, closed.name), now: null };
      return { status, now: legNow(raw.pendingActivities ?? []) };
    },
    patienceMs,
  );

/** Says something to one that runs, and waits for its answer. */
export const tellLora = <Args extends unknown[]>(
  context: Context,
  { id, workflowId }: NamedLora,
  update: UpdateDefinition<Answer, Args>,
  ...args: Args
): Promise<Answer> =>
  context.ask(`waiting for ${id}`, async (client) => {
    try {
      // The client knows messages with and without content apart; here they are one.
      const message = update as unknown as UpdateDefinition<Answer, [unknown]>;
      return await client.workflow.getHandle(workflowId).executeUpdate(message, { args: args as unknown as [unknown] });
    } catch (cause) {
      if (!(cause instanceof WorkflowNotFoundError)) throw cause;
      throw new PawlError('NotFound', `There is no fine-tune ${id} that runs.`, {
        hint: '`pawl lora ls` lists them, with how they ended.',
        cause,
      });
    }
  });

/** A workflow that was terminated in the Web UI never says how it ended. */
const endedAnyway = (status: LoraStatus, closed: string): LoraStatus => ({
  ...status,
  end: {
    outcome: 'failed',
    because: `the workflow ended without a report (${closed.toLowerCase()} in Temporal)`,
    ...{ model: null, card: null, evaluation: null, last: status.checkpoint, data: null },
  },
});

export const inputOf = (context: Context, { workflowId }: NamedLora): Promise<LoraInput> =>
  context.ask('reading how it was started', async (client) => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    const started = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    if (!started) throw new PawlError('NotFound', `Temporal does not know any more how ${workflowId} was started.`);
    return client.options.loadedDataConverter.payloadConverter.fromPayload<LoraInput>(started);
  });
