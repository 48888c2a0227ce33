/** Cycles of a service whose workers are processes, as a person at a shell starts, approves and awaits them. */
import { type Client, isGrpcServiceError, type WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { triggerId } from '../../contracts/ids.ts';
import {
  type Admission,
  type ApprovalRequest,
  approveSignal,
  type CycleEnd,
  cycleStatusQuery,
} from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { eventually } from '../../drills/eventually.ts';
import { SERVICE, type ServiceHome } from '../../drills/service-home.ts';

const { PENDING_ACTIVITY_STATE_STARTED } = proto.temporal.api.enums.v1.PendingActivityState;

export interface LiveCycle {
  readonly cycle: string;
  readonly handle: WorkflowHandle<() => Promise<CycleEnd>>;
}

/** An activity that a cycle waits for. */
export interface Pending {
  readonly activity: string;
  /** A worker has it; otherwise it waits for one, or for its next attempt. */
  readonly begun: boolean;
  readonly attempt: number;
}

export interface LiveCycles {
  startCycle(): Promise<LiveCycle>;
  endOf(cycle: LiveCycle): Promise<CycleEnd>;
  /** Returns when the cycle asks a person. */
  untilAsked(cycle: LiveCycle): Promise<ApprovalRequest>;
  approve(cycle: LiveCycle, asked: ApprovalRequest): Promise<void>;
  pending(cycle: LiveCycle): Promise<readonly Pending[]>;
  /** Returns when a worker has begun this activity, for the nth time or later. */
  untilBegun(cycle: LiveCycle, activity: string, attempt?: number): Promise<void>;
}

export const liveCycles = (client: Client, sign: ServiceHome['sign']): LiveCycles => {
  let triggers = 0;

  const pending: LiveCycles['pending'] = async ({ handle }) => {
    const { raw } = await handle.describe();
    return (raw.pendingActivities ?? []).map(({ activityType, state, attempt }) => ({
      activity: activityType?.name ?? '',
      begun: state === PENDING_ACTIVITY_STATE_STARTED,
      attempt: attempt ?? 0,
    }));
  };

  return {
    pending,
    startCycle: async () => {
      const admission: Admission = await client.workflow.execute('trigger', {
        workflowId: triggerId(SERVICE, `${++triggers}`),
        taskQueue: queues.control,
        args: [{ service: SERVICE, reason: 'a trial' }],
      });
      if (!admission.admitted) throw new Error(`not admitted: ${admission.because}`);
      return { cycle: admission.cycle, handle: client.workflow.getHandle(admission.workflowId) };
    },
    // A server that was killed refuses connections until it is back.
    endOf: async ({ handle }) => {
      const ask = () => handle.result().catch((error: unknown) => (isGrpcServiceError(error) ? null : raise(error)));
      return (await eventually(ask, (end) => end !== null)) as CycleEnd;
    },
    untilAsked: async ({ handle }) => {
      const ask = async () => (await handle.query(cycleStatusQuery)).approval;
      return (await eventually(ask, (approval) => approval !== null)) as ApprovalRequest;
    },
    approve: async ({ handle }, { step, variant, evidence }) => {
      const token = sign({ action: 'approve', workflow: handle.workflowId, step, variant, evidence });
      await handle.signal(approveSignal, { token });
    },
    untilBegun: async (cycle, activity, attempt = 1) => {
      const reached = (one: Pending) => one.activity === activity && one.begun && one.attempt >= attempt;
      await eventually(
        () => pending(cycle),
        (all) => all.some(reached),
        20,
      );
    },
  };
};

const raise = (error: unknown): never => {
  throw error;
};
