/** What the recordings share: a scene for one service, and the ways to wait until a workflow has done all there is to do. */
import type { WorkflowHandle, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { CyclePlan } from '../../../contracts/plan.ts';
import type { StageActivities } from '../../../contracts/stages.ts';
import { testPlan } from '../../support/plan.ts';
import { eventually, guardianOf } from '../../support/requests.ts';
import { stagesTo } from '../../support/stages.ts';
import { challengerOf, type World } from '../../support/world.ts';

/** Takes a workflow along its path in a world with a service of its own; answers with the runs to record, in order. */
export type Walk = (world: World, service: string) => Promise<readonly WorkflowHandle[]>;

export const setScene = (
  world: World,
  service: string,
  script: Partial<StageActivities> = {},
  plan: Partial<CyclePlan> = {},
): void => {
  world.stages = stagesTo(challengerOf(service), script);
  world.plan = testPlan(plan);
};

/** The workflow goes on for ever: once nothing of it is pending, its history is whole. */
export const quiet = async (handle: WorkflowHandle): Promise<WorkflowHandle> => {
  await eventually(
    () => handle.describe(),
    ({ raw }) => !raw.pendingWorkflowTask && !raw.pendingActivities?.length && !raw.pendingChildren?.length,
  );
  return handle;
};

export const quietGuardian = async (world: World, service: string): Promise<readonly WorkflowHandle[]> => [
  await quiet(guardianOf(world, service)),
];

/** Every run of a workflow that continued as new, the first one first. */
export const chain = async (
  { client }: World,
  first: Pick<WorkflowHandleWithFirstExecutionRunId, 'workflowId' | 'firstExecutionRunId'>,
): Promise<readonly WorkflowHandle[]> => {
  const runs: WorkflowHandle[] = [];
  for (let runId: string | null | undefined = first.firstExecutionRunId; runId; ) {
    const run: WorkflowHandle = client.workflow.getHandle(first.workflowId, runId);
    runs.push(run);
    const { events } = await run.fetchHistory();
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return runs;
};
