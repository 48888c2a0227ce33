import { workflowInfo } from '@temporalio/workflow';
import { tokenOf } from '../../contracts/message-shapes.ts';
import type { CycleInput } from '../../contracts/messages.ts';
import type { SignedToken, TokenClaims, TokenUse } from '../../contracts/token.ts';
import type { Actor } from '../../contracts/traffic.ts';
import { store } from '../options.ts';

export type Signable = Extract<TokenClaims['action'], 'approve' | 'resume' | 'skip' | 'promote' | 'retry'>;

/** On whose behalf tokens are checked: a cycle, or a child of one. A token is bound to the workflow that asks. */
export interface Signed {
  readonly service: string;
  readonly cycle: string;
  readonly requestedBy: Actor;
  /** What a person types to have a token made. */
  readonly command: (action: Signable) => string;
}
/** What a token must be for. */
export interface Bound {
  readonly step: string | null;
  readonly variant: string | null;
  readonly evidence: string | null;
}
type Verified =
  | { readonly claims: TokenClaims; readonly token: SignedToken }
  | { readonly claims: null; readonly because: string };

const UNBOUND: Bound = { step: null, variant: null, evidence: null };

export const ofCycle = ({ service, cycle, request }: CycleInput): Signed => ({
  service,
  cycle,
  requestedBy: request.requestedBy,
  command: (action) => `${action === 'approve' ? 'pawl approve' : `pawl cycle ${action}`} ${cycle} --print`,
});

/** Has the tokens of messages checked, each use under a key of its own. */
export class Signatures {
  readonly #of: Signed;
  #uses: number;

  /** `uses`: how many an earlier run of the same workflow has checked. */
  constructor(of: Signed, uses = 0) {
    this.#of = of;
    this.#uses = uses;
  }

  get uses(): number {
    return this.#uses;
  }

  async verify(
    message: unknown,
    action: Signable,
    bound: Bound = UNBOUND,
    about: Pick<NonNullable<TokenUse['about']>, 'approvedBy' | 'roles'> = {},
  ): Promise<Verified> {
    const { service, cycle, requestedBy, command } = this.#of;
    const token = tokenOf(message);
    if (token === null) {
      return { claims: null, because: `${action} needs a signed token: \`${command(action)}\` makes one` };
    }
    const { workflowId } = workflowInfo();
    const answer = await store.verifyToken({
      token,
      action,
      workflow: workflowId,
      step: bound.step,
      variant: bound.variant,
      evidence: bound.evidence,
      key: `${workflowId}/${action}/${++this.#uses}`,
      about: { service, cycle, requestedBy, ...about },
    });
    return answer.valid ? { claims: answer.claims, token } : { claims: null, because: answer.because };
  }
}
