/** Asks the policy for what a command is about to do on this machine, and records the answer. */
import { randomUUID } from 'node:crypto';
import { type Proof, rulingOnUse, type Use } from '../activities/rulings.ts';
import { readPeople } from '../adapters/keys/people.ts';
import { verifyToken } from '../adapters/keys/token.ts';
import { servicesOf } from '../adapters/service/services.ts';
import { PawlError } from '../contracts/failures.ts';
import { FLEET } from '../contracts/ids.ts';
import type { PolicyDecision, Principal } from '../contracts/policy.ts';
import type { Context } from './context.ts';
import { nameOfUser, type Signing, signBy, signerHere } from './operator.ts';

export interface Wanted {
  readonly action: 'people' | 'keys' | 'gc' | 'erase' | 'restore';
  /** null: it concerns the whole home. */
  readonly service: string | null;
  /** What exactly, in a few words; policies can look at it. */
  readonly subject: string;
  readonly reason: string;
}

/**
 * Who asks is proven by a signature that is made now, where there is a key here; who has none merely says a name. Throws
 * NotAllowed with the reason where the policy says no; both answers are in the ledger.
 */
export const permit = async (context: Context, wanted: Wanted, signing: Signing = {}): Promise<PolicyDecision> => {
  const { action, subject, reason } = wanted;
  const service = wanted.service ?? FLEET;
  const who = await whoIsHere(context, `${action}/${service}`, reason, signing);
  const use: Use = {
    key: `cli/${action}/${randomUUID()}`,
    action,
    service,
    cycle: null,
    variant: null,
    reason,
    ...who,
  };
  const deps = {
    control: context.control,
    policy: context.policy,
    services: servicesOf(context.home, context.environment.environment),
    now: Date.now,
  };
  const { allowed, because, decision } = await rulingOnUse(deps, use, { subject });
  if (allowed && decision) return decision;
  throw new PawlError('NotAllowed', `The policy says no to ${action}: ${because}.`, {
    hint: decision ? `\`pawl policy explain ${decision.id}\` shows what was asked.` : '`pawl policy ls` shows who may.',
  });
};

const whoIsHere = async (
  context: Context,
  what: string,
  reason: string,
  signing: Signing,
): Promise<{ principal: Principal; proof?: Proof }> => {
  const signer = await signerHere(context, signing);
  if (signer === null) return { principal: { kind: 'unsigned', name: nameOfUser() } };
  // No workflow has such an id: this token is good for nothing but this proof.
  const bound = { action: 'resume', workflow: `shell/${what}`, step: null, variant: null, evidence: null } as const;
  const token = await signBy(context, signer, { ...bound, reason }, signing);
  const people = await readPeople(context.home);
  const answer = verifyToken(token, people, Date.now());
  if (!answer.valid)
    throw new PawlError('NotAllowed', `The signature of ${signer.person.name} does not hold: ${answer.because}.`);
  const { person, role, kid } = answer.claims;
  const roles = people.find((one) => one.kid === kid)?.roles ?? [];
  return { principal: { kind: 'person', name: person, roles }, proof: { person, role, kid, token } };
};
