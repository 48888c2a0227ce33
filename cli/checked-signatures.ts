/** What people signed about a cycle, checked once more from the ledger's rows and people.json. */
import type { People } from '../adapters/keys/people.ts';
import { verifyToken } from '../adapters/keys/token.ts';
import type { Approval } from '../contracts/evidence.ts';
import { guardianId } from '../contracts/ids.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import type { TokenClaims } from '../contracts/token.ts';
import type { CheckedApproval, CheckedSignature } from '../domain/rederive.ts';

interface DecisionFacts {
  /** Decisions about this service that were allowed. */
  readonly allowed: readonly LedgerRow[];
  readonly people: People;
  readonly workflow: string;
}
interface ApprovalFacts extends DecisionFacts {
  readonly requestedBy: string | null;
  readonly variant: string | null;
  readonly evidence: string | null;
}

/** Every approval again: its signature, what it is bound to, and whether it may count. */
export const checkedApprovals = (given: readonly Approval[], facts: ApprovalFacts): CheckedApproval[] => {
  const { workflow, variant, evidence, requestedBy } = facts;
  const nonces = new Set<string>();
  return given.map(({ person, role }) => {
    const row = facts.allowed.find(
      ({ body }) =>
        body.action === 'approve' && body.workflow === workflow && body.person === person && body.role === role,
    );
    if (!row) return { person, objection: 'the ledger has no decision that allows it' };
    const bound = { action: 'approve', workflow, step: 'approve', variant, evidence, person, role } as const;
    const objection = objectionTo(row, facts.people, bound);
    if (objection !== null) return { person, objection };
    if (person === requestedBy) return { person, objection: 'nobody approves what they asked for' };
    const twice = nonces.has(nonceOf(row));
    nonces.add(nonceOf(row));
    return { person, objection: twice ? 'its token was used twice' : null };
  });
};

/** What else people have signed: that it starts, goes on, or is watched no longer. */
export const checkedSignatures = (
  service: string,
  admitted: LedgerRow | undefined,
  facts: DecisionFacts,
): CheckedSignature[] => {
  const { allowed, people, workflow } = facts;
  const signed = allowed.filter(({ body }) => typeof body.person === 'string');
  const start = signed.findLast(
    ({ seq, body }) => body.action === 'start' && body.person === admitted?.actor.name && seq < (admitted?.seq ?? 0),
  );
  const steered = signed.filter(({ body }) => body.workflow === workflow && body.action !== 'approve');
  return [...(start ? [start] : []), ...steered].map((row) => {
    const of = row === start ? guardianId(service) : workflow;
    const { action, person, role } = row.body as { action: TokenClaims['action']; person: string; role: string };
    return {
      what: `${action} by ${person}`,
      objection: objectionTo(row, people, { action, workflow: of, person, role }),
    };
  });
};

/** The token of a decision, with people.json as it stood for its signer at that moment. */
const objectionTo = ({ at, body }: LedgerRow, people: People, bound: Partial<TokenClaims>): string | null => {
  const then = people.map(({ revoked, ...one }) =>
    revoked && Date.parse(revoked.at) <= Date.parse(at) ? { ...one, revoked } : one,
  );
  const answer = verifyToken(body.token, then, Date.parse(at));
  if (!answer.valid) return answer.because;
  const claims: Readonly<Record<string, unknown>> = { ...answer.claims };
  const other = Object.entries(bound).find(([claim, value]) => claims[claim] !== value);
  return other ? `its token is for another ${other[0]}` : null;
};

const nonceOf = ({ body }: LedgerRow): string => {
  const [payload = ''] = String(body.token).split('.');
  return String((JSON.parse(Buffer.from(payload, 'base64url').toString()) as { nonce?: unknown }).nonce);
};
