import type { WorkflowHandle } from '@temporalio/client';
import { guardianId, triggerId } from '../../contracts/ids.ts';
import {
  type Admission,
  type CycleEnd,
  type CycleRequest,
  type CycleStatus,
  cycleStatusQuery,
} from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { SERVICE, type World } from './world.ts';

export { eventually } from '../../drills/eventually.ts';

let triggers = 0;

/** Starts the trigger workflow, as the Web UI does. */
export const triggerCycle = (
  world: World,
  service = SERVICE,
  trigger: CycleRequest['trigger'] = 'gate',
  token?: string,
): Promise<Admission> =>
  world.client.workflow.execute('trigger', {
    workflowId: triggerId(service, `${++triggers}`),
    taskQueue: queues.control,
    args: [{ service, trigger, reason: 'for the test', ...(token !== undefined && { token }) }],
  });

export interface StartedCycle {
  readonly cycle: string;
  readonly handle: WorkflowHandle<() => Promise<CycleEnd>>;
}

export const startCycle = async (world: World, service = SERVICE): Promise<StartedCycle> => {
  const admission = await triggerCycle(world, service);
  if (!admission.admitted) throw new Error(`not admitted: ${admission.because}`);
  return { cycle: admission.cycle, handle: world.client.workflow.getHandle(admission.workflowId) };
};

export const runCycle = async (world: World, service = SERVICE): Promise<CycleEnd> =>
  (await startCycle(world, service)).handle.result();

export const statusOf = (handle: StartedCycle['handle']): Promise<CycleStatus> => handle.query(cycleStatusQuery);

export const guardianOf = (world: World, service = SERVICE) => world.client.workflow.getHandle(guardianId(service));

/** A door that a stage waits behind until the test opens it. */
export const door = () => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
};
