/** Heads of the ledger that stand in Temporal's histories: what the activity `note` answered, and what guardians remember. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { z } from 'zod';
import { guardianId } from '../../contracts/ids.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import type { KnownHead } from '../ledger/audit.ts';
import { openCheckpoint } from '../ledger/signed-note.ts';

type Payloads = Parameters<typeof decodeFromPayloadsAtIndex>[2];

const head = z.object({ size: z.int(), root: z.string(), checkpoint: z.string() });
const remembered = z.object({ memory: z.object({ ledger: head }) });

export interface NotedHeads {
  readonly heads: readonly KnownHead[];
  readonly histories: number;
  /** Heads of a ledger of another name: an earlier store of this home. */
  readonly ofOthers: number;
}

export interface HeadSearch {
  readonly services: readonly string[];
  /** Name of the ledger. */
  readonly origin: string;
  /** Histories of cycles, and of the guardian's runs, that are read for each service; the newest first. */
  readonly most: number;
  readonly progress?: (histories: number) => void;
}

export const notedHeads = async (
  client: Client,
  { services, origin, most, progress }: HeadSearch,
): Promise<NotedHeads> => {
  const heads = new Map<string, KnownHead>();
  const others = new Set<string>();
  let histories = 0;
  const add = (value: unknown, from: string): void => {
    const { data } = head.safeParse(value);
    const opened = data && openCheckpoint(data.checkpoint);
    if (!opened) return; // Histories from before there was a head.
    if (opened.origin !== origin) others.add(data.checkpoint);
    else heads.set(`${opened.size} ${opened.root}`, { size: opened.size, root: opened.root, from });
  };
  const read = async (workflowId: string, runId?: string): Promise<string | null> => {
    const run = await readRun(client, { workflowId, runId }, (value) => add(value, `the history of ${workflowId}`));
    if (!run) return null;
    histories += 1;
    progress?.(histories);
    return run.before;
  };
  for (const service of services) {
    let run = await read(guardianId(service));
    for (let n = 1; run !== null && n < most; n += 1) run = await read(guardianId(service), run);
    const query = `WorkflowType = "improvementCycle" AND ${searchAttributes.service.name} = "${service}"`;
    let cycles = 0;
    for await (const { workflowId, runId } of client.workflow.list({ query })) {
      if (++cycles > most) break;
      await read(workflowId, runId);
    }
  }
  return { heads: [...heads.values()], histories, ofOthers: others.size };
};

/** Answers with the run that it continues; null where Temporal no longer has it, or never had. */
const readRun = async (
  client: Client,
  { workflowId, runId }: { workflowId: string; runId: string | undefined },
  add: (value: unknown) => void,
): Promise<{ readonly before: string | null } | null> => {
  const history = await client.workflow
    .getHandle(workflowId, runId)
    .fetchHistory()
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    });
  if (!history) return null;
  const decode = (payloads: Payloads): Promise<unknown> =>
    decodeFromPayloadsAtIndex(client.options.loadedDataConverter, 0, payloads);
  const notes = new Set<string>();
  let before: string | null = null;
  for (const event of history.events ?? []) {
    const { activityTaskScheduledEventAttributes: asked, activityTaskCompletedEventAttributes: done } = event;
    if (asked?.activityType?.name === 'note') notes.add(String(event.eventId));
    if (done && notes.has(String(done.scheduledEventId))) add(await decode(done.result?.payloads));
    const started = event.workflowExecutionStartedEventAttributes;
    if (!started) continue;
    add(remembered.safeParse(await decode(started.input?.payloads)).data?.memory.ledger);
    before = started.continuedExecutionRunId || null;
  }
  return { before };
};
