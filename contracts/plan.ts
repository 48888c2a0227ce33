import type { AbPlan } from './ab.ts';
import type { ArtifactRef } from './artifact.ts';
import type { CanaryPlan } from './canary.ts';
import type { Gate } from './vitals.ts';

export const ENVIRONMENTS = ['dev', 'staging', 'production'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** observe: monitor and diagnose only. advise: up to the offline verdict. act: traffic as well. */
export const MODES = ['observe', 'advise', 'act'] as const;
export type Mode = (typeof MODES)[number];

/** The stages in their order. Their names are wire format: they stand in histories, the ledger and pawl.yaml. */
export const STAGES = [
  'monitor',
  'diagnose',
  'augment',
  'train',
  'evaluate',
  'approve',
  'ab',
  'canary',
  'deploy',
  'watch',
  'promote',
  'learn',
] as const;
export type Stage = (typeof STAGES)[number];

/** The stages whose work a service may replace by its own activity or child workflow, in any language. */
export const PLUGGABLE_STAGES = ['monitor', 'diagnose', 'augment', 'train', 'evaluate', 'watch', 'learn'] as const;
export type PluggableStage = (typeof PLUGGABLE_STAGES)[number];

/** Who does a stage's work. */
export interface StagePlan {
  readonly runs: 'activity' | 'workflow';
  readonly name: string;
  readonly taskQueue: string;
  /** The longest that one attempt may take. */
  readonly timeoutMs: number;
  /** Silence after which an attempt counts as lost; absent where the work is too short to report progress. */
  readonly heartbeatMs?: number;
}

/** How people are asked. What is absent is not done; plans from before these fields existed have none of them. */
export interface ApprovalPlan {
  readonly expiresMs: number;
  /** How many different people must approve; 1 where absent. */
  readonly quorum?: number;
  /** Reminds after each such time without a decision. */
  readonly remindMs?: number;
  /** Who of those whom the policy permits may decide; all of them where absent. A plan narrows, it gives no rights. */
  readonly roles?: readonly string[];
  /** After this time the people of these roles are told, and may decide too. */
  readonly escalate?: { readonly afterMs: number; readonly roles: readonly string[] };
}

/** Everything that a cycle may do, read from the configuration once, when the guardian admits it. */
export interface CyclePlan {
  readonly environment: Environment;
  readonly mode: Mode;
  /** Digest of the configuration that this plan was read from, and the Git commit it stood at (null outside Git). */
  readonly config: string;
  readonly commit: string | null;
  readonly stages: Readonly<Record<PluggableStage, StagePlan>>;
  readonly gates: readonly Gate[];
  /** null: no person is asked. */
  readonly approval: ApprovalPlan | null;
  /** Whether people are told what they should know, on the worker's log and by the webhooks of the configuration. */
  readonly notify?: boolean;
  readonly training: { readonly trials: number; readonly seconds: number; readonly seed: number };
  /** Share of the traffic that the challenger gets while it is watched. */
  readonly deploy: { readonly share: number };
  readonly watch: { readonly forMs: number; readonly samples: number; readonly maxDrop: number };
  /** Trials in live traffic. A canary takes the place of deploy, watch and promote; absent in plans from before. */
  readonly ab?: AbPlan | null;
  readonly canary?: CanaryPlan | null;
  readonly limits: {
    readonly cyclesPerDay: number;
    readonly cooldownMs: number;
    readonly running: number;
    /** Budgets over a calendar day (UTC); absent where there is none. */
    readonly centsPerDay?: number;
    readonly gpuMinutesPerDay?: number;
  };
  /** Promised times per stage, from the first failing reading. */
  readonly promises: Readonly<Partial<Record<Stage, number>>>;
}

/** What a training run starts from; the manifest fixes every input by digest. */
export interface DatasetManifest {
  readonly corpus: ArtifactRef;
  readonly documents: number;
  /** Judged queries to learn from, and those that only the evaluation may see. */
  readonly train: ArtifactRef;
  readonly test: ArtifactRef;
  readonly trainQueries: number;
  readonly testQueries: number;
  /** Candidate synonyms mined for this dataset. */
  readonly candidates: ArtifactRef;
}
