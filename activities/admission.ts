import { type Client, isGrpcServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { guardianStart } from '../adapters/temporal/guardian.ts';
import type { ControlActivities, EndedWorkflow } from '../contracts/control.ts';
import { PawlError } from '../contracts/failures.ts';
import { guardianId } from '../contracts/ids.ts';
import { admitUpdate, type CycleEnd, type LaneAnswer, laneUpdate } from '../contracts/messages.ts';

type AdmissionActivities = Pick<ControlActivities, 'admit' | 'askLane' | 'findEnded'>;

export const createAdmissionActivities = ({ client }: { client: Client }): AdmissionActivities => ({
  // Safe to repeat: the request's key is the update id, and the guardian remembers its answers beyond one run.
  admit: ({ service, request }) =>
    client.workflow.executeUpdateWithStart(admitUpdate, {
      args: [request],
      updateId: request.key,
      startWorkflowOperation: guardianStart(service),
    }),

  // Safe to repeat: asking again as the holder gives a newer promotion number, and the older one is never used.
  askLane: async ({ service, cycle }) => {
    try {
      return await client.workflow.getHandle(guardianId(service)).executeUpdate(laneUpdate, { args: [{ cycle }] });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return gone;
      if (error instanceof WorkflowUpdateFailedError)
        throw new PawlError('Unavailable', 'The guardian did not answer.', { cause: error });
      throw error;
    }
  },

  findEnded: async ({ workflowIds }) => {
    const looks = await Promise.all(workflowIds.map((workflowId) => lookAt(client, workflowId)));
    return looks.filter((look) => look !== null);
  },
});

const gone: LaneAnswer = { granted: false, wait: false, because: 'the guardian of this service does not run' };

const lookAt = async (client: Client, workflowId: string): Promise<EndedWorkflow | null> => {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const { status } = await handle.describe();
    if (status.name === 'RUNNING' || status.name === 'PAUSED' || status.name === 'CONTINUED_AS_NEW') return null;
    const end = status.name === 'COMPLETED' ? ((await handle.result()) as CycleEnd) : null;
    return { workflowId, status: status.name, end };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { workflowId, status: 'NOT_FOUND', end: null };
    if (isGrpcServiceError(error)) throw new PawlError('Unavailable', 'Temporal did not answer.', { cause: error });
    throw error;
  }
};
