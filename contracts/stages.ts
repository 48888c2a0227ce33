/**
 * What goes into a stage and what comes out: the contract that built-in stages and those of a service's own share.
 * JSON both ways; bytes travel as ArtifactRef.
 */
import type { ArtifactRef } from './artifact.ts';
import type { CyclePlan, Stage } from './plan.ts';
import type { GateFinding } from './vitals.ts';

/** What every stage is told. */
export interface StageInput {
  readonly service: string;
  readonly cycle: string;
  readonly stage: Stage;
  /** Idempotency key of this stage of this cycle; effects pass it on. */
  readonly key: string;
  readonly champion: string;
  readonly plan: CyclePlan;
}

/** What every stage leaves: a sentence for the timeline, and the evidence by reference. */
export interface StageResult {
  readonly summary: string;
  readonly evidence: ArtifactRef;
  /** What the work used, where it knows: it counts against the budgets. */
  readonly usage?: Usage;
}
export interface Usage {
  readonly cpuSeconds?: number;
  readonly gpuSeconds?: number;
  readonly cents?: number;
}

export interface MonitorResult extends StageResult {
  readonly findings: readonly GateFinding[];
}

export interface DiagnoseInput extends StageInput {
  readonly findings: readonly GateFinding[];
}
export interface Diagnosis extends StageResult {
  /** How many judged queries of the window lost against the baseline, and how many there were. */
  readonly lost: number;
  readonly queries: number;
}

export interface AugmentInput extends StageInput {
  readonly diagnosis: ArtifactRef;
}
export interface Augmentation extends StageResult {
  /** Artifact with the DatasetManifest. */
  readonly dataset: ArtifactRef;
  readonly trainQueries: number;
  readonly candidates: number;
}

export interface TrainInput extends StageInput {
  readonly dataset: ArtifactRef;
}
export interface Training extends StageResult {
  /** null: nothing beat the champion on the training queries. */
  readonly challenger: string | null;
  readonly trials: number;
  /** NDCG@10 on the training queries. */
  readonly championScore: number;
  readonly challengerScore: number;
}

export interface EvaluateInput extends StageInput {
  readonly dataset: ArtifactRef;
  readonly challenger: string;
}
export const VERDICTS = ['better', 'not better', 'worse', 'inconclusive'] as const;
export type Verdict = (typeof VERDICTS)[number];
export interface Evaluation extends StageResult {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  /** NDCG@10 on held-out queries, and the 95 % interval of the difference by paired bootstrap. */
  readonly championScore: number;
  readonly challengerScore: number;
  readonly low: number;
  readonly high: number;
  readonly queries: number;
}

export interface WatchInput extends StageInput {
  readonly challenger: string;
  /** ISO moment at which the challenger got its share. */
  readonly since: string;
}
export interface Watching extends StageResult {
  /** 'healthy' only with enough samples on both arms and nothing worse than allowed; 'no data' is not healthy. */
  readonly state: 'healthy' | 'degraded' | 'no data';
  readonly reasons: readonly string[];
}

export interface LearnInput extends StageInput {
  readonly outcome: string;
  readonly because: string;
  readonly challenger: string | null;
  /** Evidence of the stages, where they ran. */
  readonly evaluation: ArtifactRef | null;
  readonly watching: ArtifactRef | null;
  /** ISO moment from which a canary gave the challenger its shares; absent where there was none. */
  readonly servedSince?: string;
}

/** The built-in stages, one activity each. A service's own stage takes and gives the same. */
export interface StageActivities {
  findBreach(input: StageInput): Promise<MonitorResult>;
  diagnose(input: DiagnoseInput): Promise<Diagnosis>;
  augment(input: AugmentInput): Promise<Augmentation>;
  train(input: TrainInput): Promise<Training>;
  evaluate(input: EvaluateInput): Promise<Evaluation>;
  watch(input: WatchInput): Promise<Watching>;
  learn(input: LearnInput): Promise<StageResult>;
}
