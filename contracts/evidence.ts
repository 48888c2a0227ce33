/** The folder of evidence that a cycle leaves: files under fixed names, bound together by one signed statement. */
import type { ArtifactRef } from './artifact.ts';
import type { CycleEnd, CycleRequest, Outcome } from './messages.ts';
import type { CyclePlan, Stage } from './plan.ts';

/** What a person, or several, decided about a step of a cycle. */
export interface Approval {
  readonly person: string;
  readonly role: string;
  readonly reason: string;
  readonly at: string;
}

export interface SealOrder {
  readonly service: string;
  readonly cycle: string;
  readonly plan: CyclePlan;
  readonly champion: string;
  readonly end: CycleEnd;
  /** Evidence of the stages that were done, by stage. */
  readonly evidence: Readonly<Partial<Record<Stage, ArtifactRef>>>;
  /** Every stage that ran to its end. */
  readonly done: readonly Stage[];
  readonly approvals: readonly Approval[];
  /** Who asked for the cycle, and how. */
  readonly request?: Pick<CycleRequest, 'trigger' | 'requestedBy' | 'reason'>;
}

export interface Sealed {
  readonly outcome: Outcome;
  /** False when a stage that ran left its file out. */
  readonly complete: boolean;
  readonly missing: readonly string[];
  /** The DSSE envelope with the in-toto statement over every file of the folder. */
  readonly statement: ArtifactRef;
}

export interface EvidenceActivities {
  /** The same order gives the same folder and the same statement. */
  sealEvidence(order: SealOrder): Promise<Sealed>;
}
