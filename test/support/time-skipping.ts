/** A server of its own that skips time. */
import { TestWorkflowEnvironment, type TimeSkippingTestWorkflowEnvironmentOptions } from '@temporalio/testing';

/** The SDK gives Java five seconds to come up, which a busy machine may not have the first time. */
const TRIES = 6;

export const timeSkippingEnvironment = async (
  path: string,
  options: Omit<TimeSkippingTestWorkflowEnvironmentOptions, 'server'> = {},
): Promise<TestWorkflowEnvironment> => {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({
        ...options,
        server: { executable: { type: 'existing-path', path } },
      });
    } catch (error) {
      if (left === 0 || !(error instanceof Error) || !error.message.includes('did not start within')) throw error;
    }
  }
};
