import { Context } from '@temporalio/activity';
import {
  type Client,
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ControlStore } from '../adapters/control/port.ts';
import { guardianStart } from '../adapters/temporal/guardian.ts';
import type { ControlActivities, EndedWorkflow } from '../contracts/control.ts';
import { type FailureType, failures, PawlError } from '../contracts/failures.ts';
import { guardianId, ofCycleWorkflow, ofFixWorkflow, ofTrialWorkflow } from '../contracts/ids.ts';
import { admitUpdate, type CycleEnd, type LaneAnswer, laneUpdate } from '../contracts/messages.ts';
import type { FixEnd, RemediationActivities } from '../contracts/remediation.ts';
import { fixUpdate } from '../contracts/remediation-messages.ts';
import { failing } from './failure.ts';

interface AdmissionDeps {
  readonly client: Client;
  readonly control: Pick<ControlStore, 'ledger'>;
}
type AdmissionActivities = Pick<ControlActivities, 'admit' | 'askLane' | 'findEnded'> &
  Pick<RemediationActivities, 'askFix'>;

/**
 * Shorter than the time that the activity has, and than the time that a worker gives what runs when it stops: the answer
 * may have to come from a workflow task of the very worker that is stopping.
 */
const PATIENCE_MS = 4_000;

export const createAdmissionActivities = ({ client, control }: AdmissionDeps): AdmissionActivities =>
  failing({
    // Safe to repeat: the request's key is the update id, and the guardian remembers its answers beyond one run.
    admit: ({ service, request }) =>
      asking(client, () =>
        client.workflow.executeUpdateWithStart(admitUpdate, {
          args: [request],
          updateId: request.key,
          startWorkflowOperation: guardianStart(service),
        }),
      ),

    // Safe to repeat: as above.
    askFix: ({ service, request }) =>
      asking(client, () =>
        client.workflow.executeUpdateWithStart(fixUpdate, {
          args: [request],
          updateId: request.key,
          startWorkflowOperation: guardianStart(service),
        }),
      ),

    // Safe to repeat: every attempt joins the question of the first one. So a busy guardian answers it once, and an attempt
    // that was held up cannot ask again later and have the number that the cycle holds fenced off.
    askLane: async ({ service, cycle }) => {
      const { workflowExecution, activityId } = Context.current().info;
      const updateId = `${workflowExecution?.workflowId}/${activityId}`;
      const guardian = client.workflow.getHandle(guardianId(service));
      try {
        return await asking(client, () => guardian.executeUpdate(laneUpdate, { args: [{ cycle }], updateId }));
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return gone;
        throw error;
      }
    },

    // Safe to repeat: it only reads.
    findEnded: async ({ workflowIds }) => {
      const looks = await Promise.all(workflowIds.map((workflowId) => lookAt(client, workflowId)));
      const ended = looks.filter((look) => look !== null);
      // A cycle that was terminated on its last steps may have told the ledger already how it ended.
      const told = async (look: EndedWorkflow): Promise<EndedWorkflow> =>
        look.end === null ? { ...look, ...(await toldOf(control, look.workflowId)) } : look;
      return Promise.all(ended.map(told));
    },
  });

const gone: LaneAnswer = { granted: false, wait: false, because: 'the guardian of this service does not run' };

const lookAt = async (client: Client, workflowId: string): Promise<EndedWorkflow | null> => {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const { status } = await asking(client, () => handle.describe());
    if (status.name === 'RUNNING' || status.name === 'PAUSED' || status.name === 'CONTINUED_AS_NEW') return null;
    const end = status.name === 'COMPLETED' ? ((await handle.result()) as CycleEnd | FixEnd) : null;
    return { workflowId, status: status.name, end };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { workflowId, status: 'NOT_FOUND', end: null };
    throw error;
  }
};

/** What the ledger holds of a cycle's end, and of its promotion. */
const toldOf = async (
  control: AdmissionDeps['control'],
  workflowId: string,
): Promise<Pick<EndedWorkflow, 'end' | 'promoted'>> => {
  const fix = ofFixWorkflow(workflowId);
  if (fix !== null) {
    const rows = await control.ledger({ service: fix.service, cycle: fix.fix });
    const body = rows.find(({ kind }) => kind === 'fix ended')?.body as unknown as FixEnd | undefined;
    if (!body) return { end: null };
    const { outcome, because, remedy, tried, champion } = body;
    return { end: { outcome, because, remedy, tried, champion } };
  }
  const of = ofCycleWorkflow(workflowId) ?? ofTrialWorkflow(workflowId);
  const rows = of === null ? [] : await control.ledger(of);
  const promotion = rows.find(({ kind, body }) => kind === 'shift' && body.outcome === 'done' && body.champion);
  const promoted = promotion && { promoted: String(promotion.body.champion) };
  const row = rows.find(({ kind }) => kind === 'cycle ended');
  if (!row) return { end: null, ...promoted };
  const { outcome, because, challenger = null, champion = null } = row.body as unknown as CycleEnd;
  return { end: { outcome, because, challenger, champion }, ...promoted };
};

/** Asks Temporal, for no longer than there is time, and says in the catalogue's words why no answer came. */
const asking = async <T>(client: Client, ask: () => Promise<T>): Promise<T> => {
  const { cancellationSignal } = Context.current();
  try {
    return await client.withDeadline(Date.now() + PATIENCE_MS, () => client.withAbortSignal(cancellationSignal, ask));
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw refusal(error);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error)) {
      throw new PawlError('Unavailable', 'Temporal did not answer in time.', { cause: error });
    }
    throw error;
  }
};

/** What the guardian's validator says keeps its type; an update that its run could not finish is asked again. */
const refusal = (error: WorkflowUpdateFailedError): PawlError => {
  const { cause } = error;
  const type = cause instanceof ApplicationFailure && cause.type && cause.type in failures ? cause.type : 'Unavailable';
  return new PawlError(type as FailureType, cause?.message ?? error.message, { cause: error });
};
