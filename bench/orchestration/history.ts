/** What a workflow wrote into its history, counted. */
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { queues } from '../../contracts/queues.ts';
import { BARE_DATA_QUEUE } from './sides.ts';

type History = proto.temporal.api.history.v1.IHistory;
type Event = proto.temporal.api.history.v1.IHistoryEvent;
const { history } = proto.temporal.api;
const { EventType } = proto.temporal.api.enums.v1;

export interface Counts {
  readonly workflowTasks: number;
  readonly activities: number;
  /** Those among the activities that go to another worker's queue. */
  readonly elsewhere: number;
  readonly timers: number;
  readonly upserts: number;
  readonly signals: number;
  readonly events: number;
  readonly bytes: number;
}

const ELSEWHERE: ReadonlySet<string> = new Set([queues.data, BARE_DATA_QUEUE]);
const queueOf = (event: Event): string => event.activityTaskScheduledEventAttributes?.taskQueue?.name ?? '';

export const eventsOf = async (client: Client, workflowId: string): Promise<Event[]> => {
  const { events }: History = await client.workflow.getHandle(workflowId).fetchHistory();
  return events ?? [];
};

export const countsOf = (events: readonly Event[]): Counts => {
  const count = (type: number) => events.filter(({ eventType }) => eventType === type).length;
  return {
    workflowTasks: count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
    activities: count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
    elsewhere: events.filter((event) => ELSEWHERE.has(queueOf(event))).length,
    timers: count(EventType.EVENT_TYPE_TIMER_STARTED),
    upserts: count(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES),
    signals: count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED),
    events: events.length,
    bytes: events.reduce((sum, event) => sum + history.v1.HistoryEvent.encode(event).finish().length, 0),
  };
};
