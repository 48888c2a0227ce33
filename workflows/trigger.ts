import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { TriggerInput } from '../contracts/guardian.ts';
import { fieldOf } from '../contracts/message-shapes.ts';
import type { Admission } from '../contracts/messages.ts';
import { ask } from './options.ts';

/**
 * What schedules, the Web UI and `temporal workflow start` start. It asks the guardian, which answers with the cycle's id
 * or why not; nobody starts a cycle around the guardian.
 */
export async function trigger(input: TriggerInput): Promise<Admission> {
  // A person types this input into a form.
  const service = fieldOf(input, 'service');
  if (service === null) throw ApplicationFailure.nonRetryable('expected an input such as {"service": "docs"}', 'Usage');
  const { reason, trigger, requestedBy, token, challenger } = input;
  const { workflowId, runId } = workflowInfo();
  return ask.admit({
    service,
    request: {
      key: `${workflowId}/${runId}`,
      trigger: trigger ?? 'hand',
      requestedBy: requestedBy ?? { kind: 'trigger', name: workflowId },
      reason: reason ?? 'started by hand',
      ...(token === undefined ? {} : { token }),
      ...(challenger === undefined ? {} : { challenger }),
    },
  });
}
