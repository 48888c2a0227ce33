import { workflowInfo } from '@temporalio/workflow';
import { tokenOf } from '../../contracts/message-shapes.ts';
import type { CycleInput } from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import type { SignedToken, TokenClaims, TokenUse } from '../../contracts/token.ts';
import { store } from '../options.ts';

/** What a token must be for. */
interface Bound {
  readonly step: Stage | null;
  readonly variant: string | null;
  readonly evidence: string | null;
}
type Verified =
  | { readonly claims: TokenClaims; readonly token: SignedToken }
  | { readonly claims: null; readonly because: string };

const UNBOUND: Bound = { step: null, variant: null, evidence: null };

/** Has the tokens of messages checked, each use under a key of its own. */
export class Signatures {
  readonly #input: CycleInput;
  #uses = 0;

  constructor(input: CycleInput) {
    this.#input = input;
  }

  async verify(
    message: unknown,
    action: 'approve' | 'resume' | 'skip',
    bound: Bound = UNBOUND,
    about: Pick<NonNullable<TokenUse['about']>, 'approvedBy' | 'roles'> = {},
  ): Promise<Verified> {
    const { service, cycle, request } = this.#input;
    const token = tokenOf(message);
    if (token === null) {
      const command = action === 'approve' ? 'pawl approve' : `pawl cycle ${action}`;
      return { claims: null, because: `${action} needs a signed token: \`${command} ${cycle} --print\` makes one` };
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
      about: { service, cycle, requestedBy: request.requestedBy, ...about },
    });
    return answer.valid ? { claims: answer.claims, token } : { claims: null, because: answer.because };
  }
}
