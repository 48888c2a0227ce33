/**
 * Fine-tunes in a list, newest first. Temporal knows which there are and which run; the ledger knows how they ended, also
 * of those that Temporal has forgotten. Only one that runs is asked how far it is.
 */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { z } from 'zod';
import { loraWorkflowId } from '../contracts/ids.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import type { Context } from './context.ts';
import { type NamedLora, namedIn, TYPE, viewOf } from './fine-tunes.ts';

export interface ListedLora extends NamedLora {
  /** How it ended, the state it is in, or how Temporal says that it ended. */
  readonly state: string;
  readonly running: boolean;
  /** null where nobody says: no worker answers now, or no step was taken. */
  readonly step: number | null;
  readonly steps: number | null;
  readonly loss: number | null;
  /** The adapter, by its id in the registry. */
  readonly model: string | null;
  readonly startedAt: string;
  readonly tookMs: number;
}

export interface LoraFilter {
  readonly service: string | undefined;
  readonly running: boolean;
  readonly most: number;
}

/** A list does not wait long for workers that may be away. */
const PATIENCE_MS = 3_000;

export const listFineTunes = async (context: Context, filter: LoraFilter): Promise<ListedLora[]> => {
  const seen = await context.ask('listing fine-tunes', (client) => executionsOf(client, filter));
  const written = await ledgerOf(context, filter.service);
  const known = await Promise.all(seen.map((one) => listed(context, one, written.get(one.workflowId))));
  const ids = new Set(seen.map(({ workflowId }) => workflowId));
  const forgotten = filter.running
    ? []
    : [...written].flatMap(([id, rows]) => (ids.has(id) || rows.end === null ? [] : [endedOf(id, rows, null)]));
  return [...known, ...forgotten]
    .flatMap((one) => one ?? [])
    .sort((a, b) => (a.startedAt > b.startedAt ? -1 : 1))
    .slice(0, filter.most);
};

const executionsOf = async (client: Client, { service, running, most }: LoraFilter) => {
  const query = [
    `WorkflowType = "${TYPE}"`,
    // An earlier run of one that has continued as new is no fine-tune of its own.
    running ? 'ExecutionStatus = "Running"' : 'ExecutionStatus != "ContinuedAsNew"',
    ...(service === undefined ? [] : [`${searchAttributes.service.name} = "${service}"`]),
  ].join(' AND ');
  const found: WorkflowExecutionInfo[] = [];
  for await (const execution of client.workflow.list({ query, pageSize: Math.min(most, 100) })) {
    found.push(execution);
    if (found.length >= most) break;
  }
  return found;
};

interface Written {
  readonly start: LedgerRow | null;
  readonly end: LedgerRow | null;
}

/** The rows of each, by the id of its workflow. */
const ledgerOf = async (context: Context, service: string | undefined): Promise<Map<string, Written>> => {
  const read = (kind: string) => context.control.ledger({ kind, ...(service !== undefined && { service }) });
  const [starts, ends] = await Promise.all([read('lora started'), read('lora ended')]);
  const byId = (rows: readonly LedgerRow[]) =>
    new Map(rows.map((row) => [loraWorkflowId(row.service, String(row.body.run)), row]));
  const [started, ended] = [byId(starts), byId(ends)];
  const ids = new Set([...started.keys(), ...ended.keys()]);
  return new Map([...ids].map((id) => [id, { start: started.get(id) ?? null, end: ended.get(id) ?? null }]));
};

const listed = async (
  context: Context,
  execution: WorkflowExecutionInfo,
  written: Written = { start: null, end: null },
): Promise<ListedLora | null> => {
  const { workflowId, status, startTime, closeTime, typedSearchAttributes } = execution;
  const named = namedIn(workflowId);
  if (!named) return null;
  const running = status.name === 'RUNNING';
  if (written.end && !running) return endedOf(workflowId, written, startTime.toISOString());
  const startedAt = earlier(written.start?.at, startTime.toISOString());
  const tookMs = (closeTime?.getTime() ?? Date.now()) - Date.parse(startedAt);
  const stage = typedSearchAttributes.get(searchAttributes.stage) ?? 'starting';
  const verdict = typedSearchAttributes.get(searchAttributes.verdict) ?? status.name.toLowerCase();
  const common = { ...named, running, state: running ? stage : verdict, model: null, startedAt, tookMs };
  const view = running ? await viewOf(context, named, PATIENCE_MS).catch(() => null) : null;
  if (view === null) return { ...common, step: null, steps: null, loss: null };
  const { status: said, now } = view;
  return {
    ...common,
    state: said.state,
    step: Math.max(said.step, now?.step ?? 0),
    steps: said.steps,
    loss: (now?.losses.at(-1) ?? said.losses.at(-1))?.loss ?? null,
  };
};

const startBody = z.looseObject({ plan: z.looseObject({ steps: z.number() }) });
const endBody = z.looseObject({
  outcome: z.string(),
  model: z.string().nullable().default(null),
  last: z.looseObject({ step: z.number() }).nullable().default(null),
  loss: z.number().nullable().default(null),
});

const endedOf = (workflowId: string, { start, end }: Written, began: string | null): ListedLora | null => {
  const named = namedIn(workflowId);
  const said = endBody.safeParse(end?.body);
  if (!named || !end || !said.success) return null;
  const { outcome, model, last, loss } = said.data;
  const startedAt = earlier(began ?? undefined, start?.at ?? end.at);
  return {
    ...named,
    ...{ state: outcome, running: false, step: last?.step ?? null, loss, model, startedAt },
    steps: startBody.safeParse(start?.body).data?.plan.steps ?? null,
    tookMs: Date.parse(end.at) - Date.parse(startedAt),
  };
};

const earlier = (one: string | undefined, other: string): string => (one !== undefined && one < other ? one : other);
