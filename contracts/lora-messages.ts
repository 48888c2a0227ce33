/** What is said to a fine-tune while it runs, and what it says of itself and of its end. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { ArtifactRef } from './artifact.ts';
import type {
  Checkpointed,
  LoraEvaluation,
  LoraReport,
  LoraState,
  LossPoint,
  MetricPoint,
  PreparedData,
} from './lora.ts';
import type { Answer } from './messages.ts';
import type { Usage } from './stages.ts';

export type LoraOutcome = 'trained' | 'refused' | 'aborted' | 'failed';
export interface LoraEnd {
  readonly outcome: LoraOutcome;
  readonly because: string;
  /** Id of the adapter in the registry of models, and its card. */
  readonly model: string | null;
  readonly card: ArtifactRef | null;
  readonly evaluation: LoraEvaluation | null;
  /** What `pawl lora resume` goes on from; null where no step was taken. */
  readonly last: Checkpointed | null;
  readonly data: PreparedData | null;
}
export interface LoraStatus {
  readonly service: string;
  readonly id: string;
  readonly state: LoraState;
  readonly reports: readonly LoraReport[];
  readonly step: number;
  readonly steps: number;
  /** Thinned out, so that it stays small however long it trains. */
  readonly losses: readonly LossPoint[];
  readonly metrics: readonly MetricPoint[];
  readonly stepsPerSecond: number | null;
  readonly secondsLeft: number | null;
  readonly checkpoint: Checkpointed | null;
  readonly best: (Checkpointed & MetricPoint) | null;
  readonly end: LoraEnd | null;
  /** What it has taken so far; it counts against the day's budgets once the fine-tune has ended. */
  readonly usage?: Usage;
}

/** Writes a checkpoint at the next step. `abort` is that of contracts/messages.ts. */
export const checkpointNowSignal = defineSignal<[]>('checkpointNow');
export const checkpointNowUpdate = defineUpdate<Answer, []>('checkpointNow');
/** More steps than were planned; only while it trains, and never beyond `mostSteps`. */
export interface Extension {
  readonly steps: number;
}
export const extendSignal = defineSignal<[Extension]>('extend');
export const extendUpdate = defineUpdate<Answer, [Extension]>('extend');
export const loraStatusQuery = defineQuery<LoraStatus>('loraStatus');
