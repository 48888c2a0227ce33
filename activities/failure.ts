import { ApplicationFailure } from '@temporalio/activity';
import { failures, PawlError } from '../contracts/failures.ts';

/** Lets an error of the catalogue cross Temporal's boundary with its type, and with whether a retry can mend it. */
export const asFailure = (error: unknown): unknown =>
  error instanceof PawlError
    ? ApplicationFailure.create({
        type: error.type,
        message: error.hint === undefined ? error.message : `${error.message} ${error.hint}`,
        nonRetryable: !failures[error.type].retryable,
        cause: error,
      })
    : error;

/** The same activities, failing in the catalogue's words. */
export const failing = <T extends object>(activities: T): T =>
  Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      async (...args: unknown[]) => {
        try {
          return await activity(...args);
        } catch (error) {
          throw asFailure(error);
        }
      },
    ]),
  ) as T;
