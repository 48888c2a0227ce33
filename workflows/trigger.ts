import { workflowInfo } from '@temporalio/workflow';
import type { TriggerInput } from '../contracts/guardian.ts';
import type { Admission } from '../contracts/messages.ts';
import { ask } from './options.ts';

/**
 * What schedules, the Web UI and `temporal workflow start` start. It asks the guardian, which answers with the cycle's id
 * or why not; nobody starts a cycle around the guardian.
 */
export async function trigger({ service, reason, trigger, requestedBy }: TriggerInput): Promise<Admission> {
  const { workflowId, runId } = workflowInfo();
  return ask.admit({
    service,
    request: {
      key: `${workflowId}/${runId}`,
      trigger: trigger ?? 'hand',
      requestedBy: requestedBy ?? { kind: 'trigger', name: workflowId },
      reason: reason ?? 'started by hand',
    },
  });
}
