import { executeChild, ParentClosePolicy, scheduleActivity, workflowInfo } from '@temporalio/workflow';
import type { CycleInput } from '../../contracts/messages.ts';
import type { PluggableStage } from '../../contracts/plan.ts';
import type { StageActivities, StageInput } from '../../contracts/stages.ts';
import { stageOptions } from '../options.ts';

/** Which activity of the contract a stage is; a service's own stage takes and gives the same. */
interface StageOf {
  monitor: StageActivities['findBreach'];
  diagnose: StageActivities['diagnose'];
  augment: StageActivities['augment'];
  train: StageActivities['train'];
  evaluate: StageActivities['evaluate'];
  watch: StageActivities['watch'];
  learn: StageActivities['learn'];
}
type Extra<S extends PluggableStage> = Omit<Parameters<StageOf[S]>[0], keyof StageInput>;
type Stage<S extends PluggableStage> = (order: StageInput & Extra<S>) => Promise<Result<S>>;
type Result<S extends PluggableStage> = Awaited<ReturnType<StageOf[S]>>;

/** What the Web UI says beside each activity. */
const ABOUT: Readonly<Record<PluggableStage, string>> = {
  monitor: 'look at the gates',
  diagnose: 'find what lost, and where',
  augment: 'build the dataset',
  train: 'search a better variant',
  evaluate: 'hold it against the champion on held-out queries',
  watch: 'compare both in live traffic',
  learn: 'remember how it ended',
};

/** Does a stage's work where the plan says: an activity, or a child workflow that is asked to stop when the cycle is. */
export const work = async <S extends PluggableStage>(
  input: CycleInput,
  stage: S,
  extra: Extra<S>,
  nth = 0,
): Promise<Result<S>> => {
  const plan = input.plan.stages[stage];
  const key = `${workflowInfo().workflowId}/${stage}${nth === 0 ? '' : `/${nth}`}`;
  const { service, cycle, champion } = input;
  const order = { service, cycle, stage, key, champion, plan: input.plan, ...extra };
  if (plan.runs === 'workflow') {
    return executeChild<Stage<S>>(plan.name, {
      workflowId: key.replaceAll('/', ':'),
      taskQueue: plan.taskQueue,
      args: [order],
      workflowExecutionTimeout: plan.timeoutMs,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
  }
  return scheduleActivity<Result<S>>(plan.name, [order], stageOptions(plan, ABOUT[stage]));
};
