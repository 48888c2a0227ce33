/** What the run provides to tests that need Temporal. Workflow ids must be made unique: the server is shared. */
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    temporalBinary: string;
    workflowBundle: string;
    timeSkippingServer: string | null;
  }
}

export const temporalAddress = (): string => inject('temporalAddress');
/** For tests that stop and start a server of their own. */
export const temporalBinary = (): string => inject('temporalBinary');
/** For `Worker.create`. */
export const workflowBundle = (): { codePath: string } => ({ codePath: inject('workflowBundle') });
/** Path for `TestWorkflowEnvironment.createTimeSkipping`; null on a machine without Java: `test.skipIf`. */
export const timeSkippingServer = (): string | null => inject('timeSkippingServer');
