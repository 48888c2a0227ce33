/** Which fine-tune is meant, and what is known of it. */
import type { Client } from '@temporalio/client';
import { PawlError } from '../contracts/failures.ts';
import { loraWorkflowId } from '../contracts/ids.ts';
import { type LoraEnd, type LoraInput, type LoraStatus, loraStatusQuery } from '../contracts/lora.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import type { Described } from './command.ts';
import type { Context } from './context.ts';
import { type LegNow, legNow } from './leg-now.ts';

export const LORA: Described = ['[run]', 'id such as lo_20261121_142530, or `latest`'];
const LORA_ID = /^lo_[a-z0-9_]{1,60}$/;
const TYPE = 'loraFineTune';

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
    hint: '`pawl lora start --help` shows how one is started.',
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
    const [, of, id] = /^pawl:([^:]+):lora:([^:]+)$/.exec(workflowId) ?? [];
    if (of && id && (run === 'latest' || id === run)) return { service: of, id, workflowId };
  }
  return null;
};

export interface LoraView {
  readonly status: LoraStatus;
  /** What the worker of the leg that runs now has said last. */
  readonly now: LegNow | null;
}

export const viewOf = (context: Context, { workflowId }: NamedLora): Promise<LoraView> =>
  context.ask('asking the fine-tune', async (client) => {
    const handle = client.workflow.getHandle<StartLora>(workflowId);
    const status = await handle.query(loraStatusQuery);
    if (status.end) return { status, now: null };
    const { raw, status: closed } = await handle.describe();
    if (closed.name !== 'RUNNING' && closed.name !== 'COMPLETED')
      return { status: endedAnyway(status, closed.name), now: null };
    return { status, now: legNow(raw.pendingActivities ?? []) };
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
