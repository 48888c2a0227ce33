/** Follows a cycle to its end. What is new since the last look is a pure function of two looks. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { PawlError } from '../contracts/failures.ts';
import {
  type ApprovalRequest,
  type CycleEnd,
  type CycleStatus,
  cycleStatusQuery,
  type StageReport,
} from '../contracts/messages.ts';
import type { Context } from './context.ts';
import type { NamedCycle } from './cycles.ts';
import { asPawlError } from './failure.ts';
import { bad, bold, dim, good, type Line, type Styled, short, span, warn } from './text.ts';

export type CycleEvent =
  | ({ readonly event: 'stage' } & StageReport)
  | ({ readonly event: 'approval' } & ApprovalRequest)
  | { readonly event: 'paused' | 'resumed' }
  | ({ readonly event: 'end' } & CycleEnd);

export const eventsBetween = (before: CycleStatus | null, after: CycleStatus): CycleEvent[] => {
  const seen = before?.stages ?? [];
  const stages = after.stages.filter((report, at) => report.state !== seen[at]?.state);
  const paused = before?.paused ?? false;
  return [
    ...stages.map((report): CycleEvent => ({ event: 'stage', ...report })),
    ...(after.approval && !before?.approval ? [{ event: 'approval', ...after.approval } as const] : []),
    ...(after.paused === paused ? [] : [{ event: after.paused ? 'paused' : 'resumed' } as const]),
    ...(after.end && !before?.end ? [{ event: 'end', ...after.end } as const] : []),
  ];
};

const LOOK_EVERY_MS = 500;
/** So long may Temporal or all workers be away before the command gives up; the cycle itself goes on without it. */
const PATIENCE_MS = 60_000;

export const follow = async (
  context: Context,
  { cycle, workflowId }: NamedCycle,
  tell: (event: CycleEvent) => void,
): Promise<CycleEnd> => {
  const { client } = await context.temporal();
  let before: CycleStatus | null = null;
  for (;;) {
    const after = await context.out.progress(`no worker answers for ${cycle} yet`, () => look(client, workflowId));
    for (const event of eventsBetween(before, after)) tell(event);
    if (after.end) return after.end;
    before = after;
    await pause(LOOK_EVERY_MS);
  }
};

const look = async (client: Client, workflowId: string): Promise<CycleStatus> => {
  const handle = client.workflow.getHandle(workflowId);
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const status = await client.withDeadline(Date.now() + 10_000, () => handle.query(cycleStatusQuery));
      return status.end ? status : await closedAnyway(handle, status);
    } catch (error) {
      const failure = asPawlError(error);
      if (error instanceof WorkflowNotFoundError || failure.type !== 'Unavailable' || Date.now() > until) throw failure;
      await pause(LOOK_EVERY_MS);
    }
  }
};

/** A workflow that was terminated in the Web UI never says how it ended. */
const closedAnyway = async (
  handle: ReturnType<Client['workflow']['getHandle']>,
  status: CycleStatus,
): Promise<CycleStatus> => {
  const { status: closed } = await handle.describe();
  if (closed.name === 'RUNNING' || closed.name === 'COMPLETED') return status;
  const because = `the workflow ended without a report (${closed.name.toLowerCase()} in Temporal)`;
  return { ...status, end: { outcome: 'failed', because, challenger: null, champion: null } };
};

const MARKS: Readonly<Record<StageReport['state'], Styled>> = {
  running: dim('…'),
  waiting: warn('?'),
  done: good('✓'),
  skipped: dim('-'),
  failed: bad('✗'),
};

export const stageLine = ({ stage, state, startedAt, endedAt, summary }: StageReport): Line => [
  MARKS[state],
  ` ${stage.padEnd(9)}`,
  dim((endedAt ? span(Date.parse(endedAt) - Date.parse(startedAt)) : state).padEnd(11)),
  summary ?? '',
];

export const endLine = ({ outcome, because }: CycleEnd): Line => [
  (outcome === 'promoted' || outcome === 'kept' ? good : bad)(outcome),
  ': ',
  because,
];

export const eventLine = (event: CycleEvent, cycle: string): Line => {
  switch (event.event) {
    case 'stage':
      return stageLine(event);
    case 'approval':
      return [warn('  waits for a person: '), `${event.step} of ${short(event.variant)}, ${event.summary}`];
    case 'end':
      return [bold(cycle), ' ', ...endLine(event)];
    default:
      return [dim(`  ${event.event}`)];
  }
};

export const refusedAdmission = (because: string): PawlError =>
  new PawlError('Refused', `No cycle was started: ${because}.`, { hint: '`pawl status` shows the service.' });
