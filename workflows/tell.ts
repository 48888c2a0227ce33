import type { SignalDefinition } from '@temporalio/common';
import { getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';

/** Signals another workflow. False when it does not run any more, which a caller must be ready for anyway. */
export const tell = async <A extends unknown[]>(
  workflowId: string,
  signal: SignalDefinition<A>,
  ...args: A
): Promise<boolean> => {
  try {
    await getExternalWorkflowHandle(workflowId).signal(signal, ...args);
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
};
