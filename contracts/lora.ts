/** A LoRA fine-tune: what is asked for, and what the workflow and its activities exchange. */
import type { ArtifactRef } from './artifact.ts';
import type { Usage } from './stages.ts';
import type { SignedToken } from './token.ts';
import type { Actor } from './traffic.ts';

/** The adapter, in PEFT's words. */
export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** A regular expression over module names, or endings of them; `all-linear` is every linear layer but the pooler. */
  readonly targets: string | readonly string[];
  readonly exclude?: string | readonly string[];
  readonly rankPattern?: Readonly<Record<string, number>>;
  readonly alphaPattern?: Readonly<Record<string, number>>;
  /** Scales by alpha / √rank instead of alpha / rank. */
  readonly rankStabilised?: boolean;
  /** Weight-decomposed: learns a magnitude per output beside the direction. */
  readonly decomposed?: boolean;
}

/** `query`: documents keep their vectors. */
export type LoraSide = 'both' | 'query';
/** What is trained: a bi-encoder's embeddings, or a cross-encoder's score. */
export type LoraComponent = 'encoder' | 'reranker';
export type LoraLoss = 'in-batch' | 'ranknet' | 'lambdarank' | 'cosine' | 'mse';

export interface TrainingPlan {
  readonly component: LoraComponent;
  readonly side: LoraSide;
  readonly loss: LoraLoss;
  readonly steps: number;
  readonly batch: number;
  /** Examples whose activations are held at once; the gradient is that of the whole batch (GradCache). */
  readonly microBatch?: number;
  readonly learningRate: number;
  readonly warmup: number;
  readonly decay: 'linear' | 'cosine' | 'none';
  readonly weightDecay: number;
  readonly clip: number;
  /** Similarities are multiplied by this before the softmax. */
  readonly scale: number;
  readonly lengths: { readonly query: number; readonly document: number };
  readonly seed: number;
  /** Length of a leg; after each the adapter is measured on the validation queries. */
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
  /** Evaluations without a gain before it stops; 0 never stops early. */
  readonly patience: number;
  readonly threads: number;
  /** `frugal` gives memory back at the price of time. */
  readonly mode: 'fast' | 'frugal';
}

/** One training example. */
export interface TrainingExample {
  readonly query: string;
  readonly positive: string;
  readonly negatives?: readonly string[];
  /** Grades of [positive, ...negatives], for the ranking losses; without them 1, 0, 0, … */
  readonly grades?: readonly number[];
}

/** What somebody asked, what they were shown, best first, and what they took. Documents by id. */
export interface Trajectory {
  readonly query: string;
  /** Absent: the ranking that the query log holds of this query. */
  readonly shown?: readonly string[];
  readonly chosen: readonly string[];
}

/** Where examples come from; several sources are put together. */
export interface LoraData {
  /** JSON lines of TrainingExample. */
  readonly examples?: ArtifactRef;
  /** The judged training queries of the service's pawl.yaml; its judged test queries are held out. */
  readonly judgements?: boolean;
  /** JSON lines of Trajectory, over the documents of the service. */
  readonly feedback?: ArtifactRef;
  /** Absent: the service's own, or a share of the examples. */
  readonly heldOut?: JudgedData;
}
/** JSON lines of HeldOutQuery, and of { id, text }: what they are searched in. */
export interface JudgedData {
  readonly queries: ArtifactRef;
  readonly corpus: ArtifactRef;
}
export interface HeldOutQuery {
  readonly query: string;
  /** Document id → grade. */
  readonly relevant: Readonly<Record<string, number>>;
}

/** Training goes on from here instead of from nothing: what a run that failed or was aborted has left. */
export interface LoraFrom {
  /** Id of that run. */
  readonly run: string;
  readonly data: PreparedData;
  readonly checkpoint: ArtifactRef;
  readonly step: number;
}

export interface LoraInput {
  readonly service: string;
  readonly id: string;
  /** Imported model, by id. */
  readonly base: string;
  readonly config: LoraConfig;
  readonly plan: TrainingPlan;
  readonly data: LoraData;
  readonly requestedBy: Actor;
  readonly reason: string;
  /** Proves who asks, where a person does. */
  readonly token?: SignedToken;
  /** As far as `extend` can go; what may be started may be extended that far. */
  readonly mostSteps: number;
  readonly from?: LoraFrom;
  /** Silence after which its worker counts as lost; longer where its steps are found to take long. */
  readonly heartbeatMs?: number;
  /** What an earlier run of the same workflow knew when it continued as new. */
  readonly memory?: LoraMemory;
  readonly historyLimit?: number;
}

/** What the preparation leaves: everything that training reads, by digest. */
export interface PreparedData {
  /** JSON lines of TrainingExample. */
  readonly train: ArtifactRef;
  /** Decides when to stop and what is kept. The held-out queries decide nothing. */
  readonly validation: JudgedData;
  readonly heldOut: JudgedData;
  readonly examples: number;
  readonly validationQueries: number;
  readonly heldOutQueries: number;
  /** Reason → how many examples went for it. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
}
export interface MetricPoint {
  readonly step: number;
  /** NDCG@10 on the validation queries. */
  readonly ndcg: number;
}
export interface Checkpointed {
  readonly checkpoint: ArtifactRef;
  readonly step: number;
}

export interface TrainLeg {
  readonly input: LoraInput;
  readonly data: PreparedData;
  /** Newest first; an older one serves where a newer one is damaged. Empty: it starts from nothing. */
  readonly from: readonly Checkpointed[];
  readonly untilStep: number;
  /** What the learning rate's schedule is made for. */
  readonly totalSteps: number;
}
/** Where training stands after a leg: a checkpoint that any worker goes on from. */
export interface TrainedLeg extends Checkpointed {
  /** Bounded; see domain/loss-curve.ts. */
  readonly losses: readonly LossPoint[];
  /** Absent where there are no validation queries, or the leg ended before its last step. */
  readonly metric: MetricPoint | null;
  readonly stepsPerSecond: number;
  /** Why it ended before its last step, where it did. */
  readonly stopped: null | 'not a number' | 'asked';
  readonly because: string | null;
  readonly usage?: Usage;
}
/** What a heartbeat of a leg carries: what the next attempt goes on from, and what a person who watches sees. */
export interface LegProgress {
  /** The checkpoints that the leg started from: a cursor of another leg is not used. */
  readonly of: string;
  /** Those of this leg, newest first. */
  readonly checkpoints: readonly Checkpointed[];
  readonly losses: readonly LossPoint[];
  readonly step: number;
  readonly stepsPerSecond: number;
}

export interface LoraEvaluation {
  /** NDCG@10 on the held-out queries with the base model alone, and with the adapter. */
  readonly before: number;
  readonly after: number;
  /** 95 % interval of the gain, by paired bootstrap. */
  readonly low: number;
  readonly high: number;
  readonly queries: number;
  readonly verdict: 'better' | 'not better' | 'worse' | 'inconclusive';
  readonly reasons?: readonly string[];
  readonly evidence: ArtifactRef;
  readonly usage?: Usage;
}
export interface RegisteredAdapter {
  readonly model: string;
  readonly card: ArtifactRef;
  readonly parity: number;
  readonly usage?: Usage;
}

interface LoraOrder {
  readonly input: LoraInput;
  readonly data: PreparedData;
  readonly trained: Checkpointed;
  readonly totalSteps: number;
}
export interface EvaluateLora extends LoraOrder {}
export interface RegisterLora extends LoraOrder {
  readonly evaluation: LoraEvaluation;
  readonly metrics: readonly MetricPoint[];
}

export interface LoraActivities {
  prepareLoraData(input: LoraInput): Promise<PreparedData>;
  trainLora(leg: TrainLeg): Promise<TrainedLeg>;
  evaluateLora(order: EvaluateLora): Promise<LoraEvaluation>;
  registerLora(order: RegisterLora): Promise<RegisteredAdapter>;
}

/** Asks the policy whether this fine-tune may run. */
export interface TrainQuestion {
  /** The same key gets the first answer. */
  readonly key: string;
  readonly workflow: string;
  readonly service: string;
  readonly requestedBy: Actor;
  readonly reason: string;
  readonly token?: SignedToken;
  readonly steps: number;
}
export type TrainAnswer =
  | { readonly allowed: true; readonly requestedBy: Actor; readonly decision: string }
  | { readonly allowed: false; readonly because: string };
export interface TrainPermission {
  mayTrain(question: TrainQuestion): Promise<TrainAnswer>;
}

export type LoraState = 'asking' | 'preparing' | 'training' | 'evaluating' | 'registering' | 'ended';
export interface LoraReport {
  readonly state: LoraState;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly summary: string | null;
}
/** Everything that outlives a run of the workflow; JSON, and bounded. */
export interface LoraMemory {
  readonly reports: readonly LoraReport[];
  readonly data: PreparedData | null;
  /** Newest first, two at most. */
  readonly checkpoints: readonly Checkpointed[];
  readonly best: (Checkpointed & MetricPoint) | null;
  readonly steps: number;
  readonly losses: readonly LossPoint[];
  readonly metrics: readonly MetricPoint[];
  readonly stepsPerSecond: number | null;
  readonly usage?: Usage;
}
