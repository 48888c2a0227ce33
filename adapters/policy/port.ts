import type { PolicyDecision, PolicyQuestion } from '../../contracts/policy.ts';

export type AskedPolicy = PolicyQuestion & {
  /** Of the decision. The same question under the same id is one decision, however often it is asked. */
  readonly id: string;
};

/** Who may do what. It never throws: whatever goes wrong is a no, with the reason. */
export interface PolicyEngine {
  decide(question: AskedPolicy): Promise<PolicyDecision>;
}
