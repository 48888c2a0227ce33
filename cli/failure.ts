/** Any error as one of the catalogue, and how it is told. */

import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  ScheduleNotFoundError,
  ServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { type FailureType, failures, PawlError } from '../contracts/failures.ts';
import { SetupError } from '../infra/setup/setup-error.mjs';

const WAITING = '`pawl doctor` shows whether Temporal and the workers run; `pawl up` starts them.';

export const asPawlError = (error: unknown): PawlError => {
  if (error instanceof PawlError) return error;
  if (error instanceof SetupError) return failed('SetupFailed', error.message, error, { hint: error.hint });
  if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError) return fromCause(error);
  if (error instanceof WorkflowNotFoundError)
    return failed('NotFound', `Temporal knows no running workflow ${error.workflowId}.`, error, {
      hint: '`pawl cycle ls` lists what there is.',
    });
  if (error instanceof ScheduleNotFoundError)
    return failed('NotFound', `Temporal has no schedule ${error.scheduleId}.`, error, {
      hint: '`pawl schedule apply` makes what pawl.yaml declares.',
    });
  // The client wraps what gRPC says.
  const refusal = error instanceof ServiceError ? error.cause : error;
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcDeadlineError(refusal))
    return failed('Unavailable', 'Temporal took the request, but no worker answered in time.', error, {
      hint: WAITING,
    });
  if (isGrpcServiceError(refusal))
    return failed('Unavailable', `Temporal did not answer: ${refusal.details || refusal.message}`, error, {
      hint: WAITING,
    });
  const message = error instanceof Error ? error.message : String(error);
  return failed('Internal', message, error, { hint: 'This is a defect in Pawl; please report it with this output.' });
};

/** The reason of a failed workflow is its innermost cause, where an activity said what kind of failure it was. */
const fromCause = (error: Error): PawlError => {
  let reason: Error = error;
  while (reason.cause instanceof Error) {
    reason = reason.cause;
    if (reason instanceof ApplicationFailure && reason.type && reason.type in failures)
      return failed(reason.type as FailureType, reason.message, error);
  }
  return failed('Internal', reason.message, error);
};

const failed = (type: FailureType, message: string, cause: unknown, { hint }: { hint?: string } = {}): PawlError =>
  new PawlError(type, message, { cause, ...(hint === undefined ? {} : { hint }) });
