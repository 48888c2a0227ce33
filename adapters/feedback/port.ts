import type { FeedbackEvent, FeedbackOutcome, GivenJudgement, ReceivedAnswer } from '../../contracts/feedback.ts';

export interface ToldFeedback {
  readonly at: number;
  readonly tenant: string;
  /** Id of the key that it came under. */
  readonly by: string | null;
  /** Who tells, as a hash (adapters/keys/subject-key.ts), where the request said so. */
  readonly subject?: string;
  /** Whether judgements are taken from them. */
  readonly mayJudge: boolean;
  readonly events: readonly FeedbackEvent[];
}

interface Window {
  readonly service: string;
  /** By when it was served, or judged; `from` inclusive, `to` exclusive, in ms. */
  readonly from: number;
  readonly to: number;
  /** Absent: of all tenants. */
  readonly tenant?: string;
  /** The newest of the window. */
  readonly limit?: number;
}

/**
 * What users told of the answers that they got.
 *
 * 1. An event that was acknowledged is on disk: it survives a power cut.
 * 2. A key that comes again with the same event changes nothing; with another event it is refused.
 * 3. Nothing is taken about an answer of another tenant, and nobody learns that there is one.
 * 4. What was told about an answer goes when the answer goes. A judgement stays until it is erased.
 */
export interface FeedbackStore {
  /** An outcome for each event, in their order. */
  add(told: ToldFeedback): Promise<readonly FeedbackOutcome[]>;
  /** Answers about which something was told, oldest first. */
  received(window: Window & { readonly variant?: string }): Promise<readonly ReceivedAnswer[]>;
  /** Oldest first; of one giver, query and document the latest only. */
  judgements(window: Window): Promise<readonly GivenJudgement[]>;
  close(): void;
}
