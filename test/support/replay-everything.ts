import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import '../../drills/quiet-runtime.ts';

/** Whatever a test made happen must replay: today's code on the history that it has just written. */
export const replayEverything = async (client: Client, workflowBundle: { codePath: string }): Promise<void> => {
  const histories = client.workflow.list().intoHistories();
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle, dataConverter }, histories)) {
    if (error) throw new Error(`${workflowId} does not replay: ${error.message}`, { cause: error });
  }
};
