/** Runs one activity of inference, as a workflow of Pawl would. */
import { proxyActivities } from '@temporalio/workflow';
import type { InferenceActivities } from '../../contracts/inference.ts';
import { queues } from '../../contracts/queues.ts';

const inference = proxyActivities<InferenceActivities>({
  taskQueue: queues.infer,
  startToCloseTimeout: '5m',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '100ms', maximumAttempts: 5 },
});

export const encodeOnce: InferenceActivities['encodeTexts'] = (order) => inference.encodeTexts(order);
