/** How the long-lived workflows are started: by whoever first has something to tell them. */
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { GuardianInput, KillSwitchInput } from '../../contracts/guardian.ts';
import { guardianId, KILL_SWITCH_ID } from '../../contracts/ids.ts';
import { queues } from '../../contracts/queues.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';

type ForEver<I> = (input: I) => Promise<never>;

export const guardianStart = (service: string): WithStartWorkflowOperation<ForEver<GuardianInput>> =>
  new WithStartWorkflowOperation<ForEver<GuardianInput>>('guardian', {
    workflowId: guardianId(service),
    taskQueue: queues.control,
    args: [{ service }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: attributesOf({ service }),
    staticSummary: `owns the service ${service}`,
  });

export const killSwitchStart = (): WithStartWorkflowOperation<ForEver<KillSwitchInput>> =>
  new WithStartWorkflowOperation<ForEver<KillSwitchInput>>('killSwitch', {
    workflowId: KILL_SWITCH_ID,
    taskQueue: queues.control,
    args: [{}],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: 'the kill state of the fleet',
  });
