import { ActivityFailure, TimeoutFailure } from '@temporalio/workflow';
import type { LegProgress } from '../../contracts/lora.ts';

/** Nothing was heard of its worker any more. */
export const isSilence = (error: unknown): error is ActivityFailure =>
  error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;

/** What a leg whose worker fell silent for good had written until then, by its last heartbeat. */
export const progressIn = (error: unknown): LegProgress | null => {
  if (!isSilence(error)) return null;
  const details: unknown = (error.cause as TimeoutFailure).lastHeartbeatDetails;
  return isProgress(details) && details.checkpoints.length > 0 ? details : null;
};

const isProgress = (value: unknown): value is LegProgress =>
  typeof value === 'object' &&
  value !== null &&
  'checkpoints' in value &&
  Array.isArray(value.checkpoints) &&
  'losses' in value &&
  Array.isArray(value.losses);
