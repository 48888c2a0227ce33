/** A watch over what a cycle has promoted; what it measures is scripted as that of a canary. */
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import type { ControlStore } from '../../adapters/control/port.ts';
import { watchWorkflowId } from '../../contracts/ids.ts';
import { queues } from '../../contracts/queues.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';
import { type WatchEnd, type WatchStatus, type WatchTrialInput, watchStatusQuery } from '../../contracts/watch.ts';
import { analysisOf } from './canary.ts';
import { promoteTo } from './fixes.ts';
import { challengerOf, championOf, type World } from './world.ts';

export type WatchHandle = WorkflowHandleWithFirstExecutionRunId<(input: WatchTrialInput) => Promise<WatchEnd>>;
const CYCLE = 'si_2026_11_21_001';

/** Promotes the challenger, and starts to watch it. */
export const startWatch = async (
  world: Pick<World, 'client'> & { readonly control: ControlStore },
  service: string,
  changes: Partial<WatchTrialInput['plan']> & Pick<WatchTrialInput, 'historyLimit'> = {},
  promotedAt = new Date().toISOString(),
): Promise<WatchHandle> => {
  const [champion, challenger] = [championOf(service), challengerOf(service)];
  await promoteTo(world.control, service, challenger);
  const state = await world.control.state(service);
  const { historyLimit, ...plan } = changes;
  const input: WatchTrialInput = {
    trial: {
      ...{ service, cycle: CYCLE, environment: 'staging', champion, challenger, evidence: '0'.repeat(64) },
      token: { epoch: state?.epoch ?? 0, promotion: state?.promotion ?? 0 },
      arms: [{ variant: champion, share: 1 }],
      requestedBy: { kind: 'person', name: 'ada' },
    },
    plan: { forMs: 3_600_000, analysis: analysisOf({ count: null }), ...plan },
    promotedAt,
    ...(historyLimit !== undefined && { historyLimit }),
  };
  return world.client.workflow.start<(input: WatchTrialInput) => Promise<WatchEnd>>('promotionWatch', {
    workflowId: watchWorkflowId(service, CYCLE),
    taskQueue: queues.control,
    typedSearchAttributes: attributesOf({ service, cycle: CYCLE }),
    args: [input],
  });
};

export const watchStatus = (handle: WatchHandle): Promise<WatchStatus> => handle.query(watchStatusQuery);
