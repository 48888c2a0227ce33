import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';

/** What a person should read of a failure: the reason is the cause of the activity's or child's failure. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure)
    return reasonOf(error.cause ?? error.message);
  if (error instanceof ApplicationFailure) return error.type ? `${error.type}: ${error.message}` : error.message;
  if (error instanceof TimeoutFailure) return `timed out (${error.timeoutType})`;
  return error instanceof Error ? error.message : String(error);
};
