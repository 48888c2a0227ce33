/** A trial of a challenger in live traffic, for a cycle: an A/B evaluation or a canary. */
import type { Environment } from './plan.ts';
import type { Actor, Arm, FencingToken } from './traffic.ts';

/** What a process that moves traffic for a cycle is given: whom it is about, and the cycle's right to move it. */
export interface Trial {
  readonly service: string;
  readonly cycle: string;
  readonly environment: Environment;
  readonly champion: string;
  readonly challenger: string;
  readonly token: FencingToken;
  /** What served before. It is what traffic goes back to. */
  readonly arms: readonly Arm[];
  /** Digest of the evidence that the challenger was approved on. */
  readonly evidence: string;
  readonly requestedBy: Actor;
}
