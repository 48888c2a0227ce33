/** Runs a recorded history of a workflow through today's workflow code. */
import { defaultPayloadConverter } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { PawlError } from '../../contracts/failures.ts';
import { workflowBundle } from './bundle.ts';
import { dataConverter } from './data-converter.ts';

export type History = ReturnType<typeof historyFromJSON>;

export interface HistoryReplay {
  readonly events: number;
  readonly replays: boolean;
  /** Where it does not, and what today's code did there instead. */
  readonly because: string | null;
}

/** As `temporal workflow show -o json` writes it. */
export const historyOf = (text: string, name: string): History => {
  try {
    const history = historyFromJSON(JSON.parse(text));
    if ((history.events ?? []).length > 0) return history;
  } catch {
    // Told below, as an empty one is.
  }
  throw new PawlError('ConfigInvalid', `${name} is no history of a workflow.`, {
    hint: '`temporal workflow show --workflow-id ID -o json > FILE` writes one.',
  });
};

export const replayHistory = async (history: History, workflowId: string): Promise<HistoryReplay> => {
  const codePath = await workflowBundle();
  quiet();
  const events = history.events?.length ?? 0;
  try {
    await Worker.runReplayHistory({ workflowBundle: { codePath }, dataConverter }, history, workflowId);
    return { events, replays: true, because: null };
  } catch (error) {
    return { events, replays: false, because: error instanceof Error ? error.message : String(error) };
  }
};

/** What the workflow was started with, and what it returned; undefined where the history does not say. */
export const endsOf = ({ events }: History): { input: unknown; result: unknown; workflowId: string | undefined } => {
  const started = events?.[0]?.workflowExecutionStartedEventAttributes;
  const completed = events?.at(-1)?.workflowExecutionCompletedEventAttributes;
  const first = (payloads: { payloads?: unknown } | null | undefined): unknown => {
    const [payload] = (payloads?.payloads ?? []) as Parameters<typeof defaultPayloadConverter.fromPayload>[];
    return payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload as never);
  };
  return {
    input: first(started?.input),
    result: first(completed?.result),
    workflowId: started?.workflowId ?? undefined,
  };
};

/** What does not replay is an answer here; the worker's own words about it would be printed beside it. */
const quiet = (): void => {
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
  });
};
