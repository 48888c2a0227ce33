/**
 * The one place where it is decided who may do what: who asks is proven, the policy is asked, and the answer is recorded.
 *
 * 1. A use gets its first answer for ever. Its row, its nonce and its answer are one transaction of the store.
 * 2. In which environment a service stands is read here, from its configuration; what a caller says of it counts nothing.
 * 3. A refusal leaves a row where somebody can be held to it: whose signature verifies, or Pawl itself. What anybody could
 *    have made up leaves none. What can be sent again and again is told once, so that no flood fills the ledger.
 */
import { createHash } from 'node:crypto';
import type { ControlStore, Ruled, RuledUse, Ruling } from '../adapters/control/port.ts';
import type { People, Person } from '../adapters/keys/people.ts';
import { signerOf, verifyToken } from '../adapters/keys/token.ts';
import { decisionId } from '../adapters/policy/decision-id.ts';
import type { PolicyEngine } from '../adapters/policy/port.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import { failures, PawlError } from '../contracts/failures.ts';
import { dayOf, FLEET } from '../contracts/ids.ts';
import { ENVIRONMENTS, type Environment } from '../contracts/plan.ts';
import { askedAbout, type PolicyAction, type PolicyDecision, type Principal } from '../contracts/policy.ts';
import type { TokenUse } from '../contracts/token.ts';

export interface RulingDeps {
  readonly control: Pick<ControlStore, 'ruling' | 'rule'>;
  readonly policy: PolicyEngine;
  readonly services: {
    config(service: string): Promise<Pick<ServiceConfig, 'environment'>>;
    all(): Promise<ReadonlyArray<Pick<ServiceConfig, 'environment'>>>;
  };
  now(): number;
}
export interface TokenDeps extends RulingDeps {
  /** Asked for at every use, so that a person who is taken out of the file can sign nothing from then on. */
  people(): Promise<People>;
}

type Facts = Readonly<Record<string, unknown>>;
/** All that the policy was told. */
interface Input {
  readonly principal: Principal;
  readonly environment: Environment | null;
  readonly facts: Facts;
}

/** What a token is bound to: it allows one thing, on what its signer looked at. */
const BOUND = ['action', 'workflow', 'step', 'variant', 'evidence'] as const;
const USED = 'it was used before; each use needs a token of its own';

/** `claimed` is who the sender says has signed, where the sender says so. */
export const rulingOnToken = async (
  deps: TokenDeps,
  use: TokenUse,
  facts: Facts,
  claimed: string | null = null,
): Promise<Ruling> => {
  const { token, action, workflow, step, variant, evidence, key, about } = use;
  const sha256 = digest(token);
  const ruled: RuledUse = { key, action, workflow, step, variant, evidence, token: sha256 };
  const first = await deps.control.ruling(ruled);
  if (first) return first;

  const people = await deps.people();
  const signer = signerOf(token, people);
  const answer = verifyToken(token, people, deps.now());
  if (signer === null) return refusal(answer.valid ? 'nobody signed it' : answer.because);

  const told = (ruling: Ruling, input: Input | null = null): Ruled => {
    const ruled = { ruling, row: rowOfToken(use, signer, sha256, ruling, input) };
    return ruling.allowed ? ruled : { ...ruled, rowOnce: `token/${sha256}/${digest(repeating(ruling))}` };
  };
  const refuse = (because: string) => deps.control.rule(ruled, told(refusal(because)));
  if (!answer.valid) return refuse(answer.because);
  const { claims } = answer;
  const other = BOUND.find((field) => claims[field] !== use[field]);
  if (other) return refuse(`it is for ${other} ${named(claims[other])}, not for ${named(use[other])}`);
  if (claimed !== null && claimed !== claims.person) {
    return refuse(`whoever sent it says that ${claimed} asks, but ${claims.person} signed it`);
  }
  if (!about) return refuse('it is not known which service this is about; send it again');

  const principal = { kind: 'person', name: signer.name, roles: signer.roles } as const;
  const { decision, input } = await asked(deps, {
    key,
    action: askedAbout(action),
    service: about.service,
    principal,
    facts,
  });
  const { allowed, because } = decision;
  if (!allowed) return deps.control.rule(ruled, told({ allowed, because, claims: null, decision }, input));
  const { nonce, expiresAt } = claims;
  const spending = { nonce, expiresAt, otherwise: told(refusal(USED)) };
  return deps.control.rule(ruled, told({ allowed, because, claims, decision }, input), spending);
};

/** Whose signature was verified, and what was signed. */
export interface Proof {
  readonly person: string;
  readonly role: string;
  readonly kid: string;
  readonly token: string;
}
export interface Use {
  readonly key: string;
  readonly action: PolicyAction;
  readonly service: string;
  readonly cycle: string | null;
  readonly variant: string | null;
  readonly principal: Principal;
  readonly reason: string;
  /** Absent for whoever proves nothing: Pawl itself, and people who merely say a name. */
  readonly proof?: Proof;
}

export const rulingOnUse = async (deps: RulingDeps, use: Use, facts: Facts): Promise<Ruling> => {
  const { key, action, service, cycle, variant, principal, reason, proof } = use;
  const ruled: RuledUse = { key, action, service, cycle, variant, principal };
  const first = await deps.control.ruling(ruled);
  if (first) return first;
  const { decision, input } = await asked(deps, { key, action, service, principal, facts });
  const ruling: Ruling = { allowed: decision.allowed, because: decision.because, claims: null, decision };
  const body = {
    action,
    allowed: ruling.allowed,
    because: ruling.because,
    person: proof?.person ?? null,
    role: proof?.role ?? null,
    kid: proof?.kid ?? null,
    workflow: null,
    step: null,
    variant,
    evidence: null,
    token: proof ? (ruling.allowed ? proof.token : digest(proof.token)) : null,
    policy: { ...decision },
    input: { ...input },
  };
  const actor = { kind: principal.kind, name: principal.name };
  const told: Ruled = {
    ruling,
    row: { service, cycle, kind: 'decision', actor, reason: ruling.allowed ? reason : ruling.because, body },
  };
  // Some of it can be asked for without end, and nobody can be held to it: once a day and reason is enough.
  const again = `${action}/${service}/${dayOf(deps.now())}/${digest(repeating(ruling))}`;
  return deps.control.rule(ruled, ruling.allowed || cycle !== null || proof ? told : { ...told, rowOnce: again });
};

interface Asking {
  readonly key: string;
  readonly action: PolicyAction;
  readonly service: string;
  readonly principal: Principal;
  readonly facts: Facts;
}

const asked = async (
  deps: RulingDeps,
  { key, facts, ...who }: Asking,
): Promise<{ decision: PolicyDecision; input: Input }> => {
  const { environment, trouble } = await environmentOf(deps.services, who.service);
  const answer = await deps.policy.decide({ id: decisionId(key), ...who, environment, context: facts });
  const decision = trouble === null ? answer : { ...answer, because: `${answer.because} (${trouble})` };
  return { decision, input: { principal: who.principal, environment, facts: JSON.parse(JSON.stringify(facts)) } };
};

interface Whereabouts {
  readonly environment: Environment | null;
  readonly trouble: string | null;
}

/** That of the fleet is the strictest of its services'. */
export const environmentOf = async (services: RulingDeps['services'], service: string): Promise<Whereabouts> => {
  try {
    const configs = service === FLEET ? await services.all() : [await services.config(service)];
    const strictest = ENVIRONMENTS.findLast((one) => configs.some(({ environment }) => environment === one));
    return { environment: strictest ?? null, trouble: null };
  } catch (error) {
    if (!isForGood(error)) throw error;
    return { environment: null, trouble: error instanceof Error ? error.message : String(error) };
  }
};

/** A configuration that is broken or missing is not known, and permits nothing. Any other trouble is asked about again. */
export const isForGood = (error: unknown): boolean => error instanceof PawlError && !failures[error.type].retryable;

const rowOfToken = (
  use: TokenUse,
  signer: Person,
  sha256: string,
  ruling: Ruling,
  input: Input | null,
): Ruled['row'] => {
  const { token, action, workflow, step, variant, evidence, about } = use;
  const { allowed, because, claims, decision } = ruling;
  const body = {
    action,
    allowed,
    because,
    person: signer.name,
    role: claims?.role ?? null,
    kid: signer.kid,
    workflow,
    step,
    variant,
    evidence,
    token: allowed ? token : sha256,
    policy: decision === null ? null : { ...decision },
    input: input === null ? null : { ...input },
  };
  const actor = { kind: 'person', name: signer.name };
  const reason = claims?.reason || because;
  return { service: about?.service ?? FLEET, cycle: about?.cycle ?? null, kind: 'decision', actor, reason, body };
};

const refusal = (because: string): Ruling => ({ allowed: false, because, claims: null, decision: null });

/** What stays the same when the same thing is refused again: sentences name numbers that change. */
const repeating = ({ because, decision }: Ruling): string => decision?.policies.join(' ') || because;

const digest = (text: string): string => createHash('sha256').update(String(text)).digest('hex');
const named = (value: string | null): string => value ?? '(none)';
