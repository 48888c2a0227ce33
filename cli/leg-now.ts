/** The last heartbeat of the leg that a fine-tune is in, out of what Temporal knows of its pending activities. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { z } from 'zod';
import type { LegProgress } from '../contracts/lora.ts';

export type LegNow = Pick<LegProgress, 'step' | 'losses' | 'stepsPerSecond'> & {
  readonly attempt: number;
  /** How many are in the store, of the newest ones of this leg. */
  readonly checkpoints: number;
};

const progress = z.object({
  step: z.number(),
  stepsPerSecond: z.number(),
  checkpoints: z.array(z.unknown()),
  losses: z.array(z.object({ step: z.number(), loss: z.number(), learningRate: z.number(), gradientNorm: z.number() })),
});

type Pending = temporal.api.workflow.v1.IPendingActivityInfo;

export const legNow = (pending: readonly Pending[]): LegNow | null => {
  const leg = pending.find(({ activityType }) => activityType?.name === 'trainLora');
  const payload = leg?.heartbeatDetails?.payloads?.[0];
  if (!leg || !payload) return null;
  const said = progress.safeParse(defaultPayloadConverter.fromPayload(payload));
  if (!said.success) return null;
  return { ...said.data, checkpoints: said.data.checkpoints.length, attempt: leg.attempt ?? 1 };
};
