/**
 * The policies, asked in this process (Cedar as WebAssembly, version 4.13).
 *
 * 1. Whatever fails (engine, policies, schema, question) is a no with its reason; nothing is thrown, nothing is let pass.
 * 2. A policy that cannot be evaluated is a no, although Cedar itself would leave it out.
 * 3. A home's policies are read anew for each question, so that a change counts from the next one on.
 */
import { join } from 'node:path';
import type { EntityJson, Response, StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs';
import type { KeyRole } from '../../contracts/access.ts';
import type { PolicyDecision, Principal } from '../../contracts/policy.ts';
import { type CedarModule, checkedBundle, type PolicyBundle } from './bundle.ts';
import { type Facts, known, missing, sentence, unknown } from './facts.ts';
import { policyReader, SHIPPED_POLICIES } from './files.ts';
import type { AskedPolicy, PolicyEngine } from './port.ts';

export interface CedarOptions {
  /** A home may bring policies of its own, in `policies/`. */
  readonly home: string;
  /** Where Pawl's own policies lie. */
  readonly shipped?: string;
  readonly load?: () => Promise<CedarModule>;
}
export interface CedarPolicy extends PolicyEngine {
  /** The policies as they are asked now; throws what is wrong with them. Calling it early makes the first answer quick. */
  bundle(): Promise<PolicyBundle>;
}

/** Four megabytes of WebAssembly, which nobody needs who only wants help. */
const loadCedar = (): Promise<CedarModule> => import('@cedar-policy/cedar-wasm/nodejs');

export const cedarPolicy = ({ home, shipped = SHIPPED_POLICIES, load = loadCedar }: CedarOptions): CedarPolicy => {
  const read = policyReader(shipped, join(home, 'policies'));
  let last: { readonly digest: string; readonly checked: () => PolicyBundle } | null = null;
  const bundle = async (): Promise<PolicyBundle> => {
    const [cedar, texts] = await Promise.all([load(), read()]);
    if (last?.digest !== texts.digest)
      last = { digest: texts.digest, checked: outcome(() => checkedBundle(cedar, texts)) };
    return last.checked();
  };
  return {
    bundle,
    decide: async (question) => {
      let digest = '';
      try {
        const [cedar, policies] = await Promise.all([load(), bundle()]);
        digest = policies.digest;
        return { id: question.id, ...decided(cedar, policies, question), bundle: digest };
      } catch (error) {
        const because = `the policy cannot be asked: ${error instanceof Error ? error.message : String(error)}`;
        return { id: question.id, allowed: false, policies: [], because, bundle: digest };
      }
    },
  };
};

/** Done once; what it gave, or threw, is kept. */
const outcome = <T>(work: () => T): (() => T) => {
  try {
    const value = work();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
};

type Answer = Pick<PolicyDecision, 'allowed' | 'policies' | 'because'>;

const decided = (cedar: CedarModule, policies: PolicyBundle, question: AskedPolicy): Answer => {
  const facts = known(question.context);
  const shape = policies.facts.get(question.action);
  if (!shape) return no(`the policies know no action ${question.action}`);
  if (!canAsk(policies, question)) {
    return no(`nothing lets a ${question.principal.kind} ${VERBS[question.action]}`);
  }
  const lacking = missing(shape, facts);
  if (lacking.length > 0) return no(`missing: ${lacking.join(', ')}; what is not known permits nothing`);
  const odd = unknown(shape, facts);
  if (odd.length > 0) return no(`the policies know no fact ${odd.join(', ')} of ${question.action}`);

  const { decision, diagnostics } = ask(cedar, policies, question, facts);
  const [failed] = diagnostics.errors;
  if (failed) return no(`the policy ${failed.policyId} cannot be evaluated: ${failed.error.message}`);
  const determining = diagnostics.reason.toSorted();
  const because = determining.map((id) => sentence(policies.policies.get(id)?.because ?? id, facts)).join('; ');
  if (decision === 'allow') return { allowed: true, policies: determining, because };
  if (determining.length > 0) return { allowed: false, policies: determining, because };
  return no(notPermitted(question, whoMay(cedar, policies, question, facts)));
};

const no = (because: string): Answer => ({ allowed: false, policies: [], because });

const ask = (cedar: CedarModule, { digest }: PolicyBundle, question: AskedPolicy, facts: Facts): Response => {
  const answer = cedar.statefulIsAuthorized({
    ...scopeOf(question),
    context: facts as StatefulAuthorizationCall['context'],
    preparsedSchemaName: digest,
    preparsedPolicySetId: digest,
    validateRequest: true,
  });
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
  return answer.response;
};

const TYPES = {
  person: 'Person',
  unsigned: 'Unsigned',
  automation: 'Automation',
  key: 'Key',
  visitor: 'Visitor',
} as const satisfies Record<Principal['kind'], string>;

const canAsk = ({ askers }: PolicyBundle, { action, principal }: Pick<AskedPolicy, 'action' | 'principal'>): boolean =>
  askers.get(action)?.includes(TYPES[principal.kind]) ?? false;

const scopeOf = ({ action, principal, service, environment }: AskedPolicy) => {
  const who = { type: TYPES[principal.kind], id: principal.name };
  const what = { type: 'Service', id: service };
  const entities: EntityJson[] = [
    { uid: who, ...entityOf(principal) },
    { uid: what, attrs: environment === null ? { name: service } : { name: service, environment }, parents: [] },
  ];
  return { principal: who, action: { type: 'Action', id: action }, resource: what, entities };
};

const entityOf = (principal: Principal): Pick<EntityJson, 'attrs' | 'parents'> => {
  const { kind, name } = principal;
  if (kind === 'person') {
    const { roles } = principal;
    return { attrs: { name, roles: [...roles] }, parents: roles.map((id) => ({ type: 'Role', id })) };
  }
  if (kind === 'key') {
    const { role, tenant } = principal;
    return { attrs: { name, tenant }, parents: [{ type: 'KeyRole', id: role }] };
  }
  return { attrs: { name }, parents: [] };
};

/** Found by asking again: the same question, as if each of the known roles had asked it. */
const whoMay = (cedar: CedarModule, policies: PolicyBundle, question: AskedPolicy, facts: Facts): readonly string[] => {
  const may = (principal: Principal): boolean =>
    canAsk(policies, { ...question, principal }) &&
    ask(cedar, policies, { ...question, principal }, facts).decision === 'allow';
  const { name } = question.principal;
  const roles = policies.roles.filter((role) => may({ kind: 'person', name, roles: [role] }));
  const tenant = typeof facts.tenant === 'string' ? facts.tenant : '';
  const keys = policies.keyRoles.filter((role) => may({ kind: 'key', name, role: role as KeyRole, tenant }));
  const pawl = may({ kind: 'automation', name }) ? ['Pawl itself'] : [];
  return [...roles, ...pawl, ...keys.map((role) => `a key of role ${role}`)];
};

const notPermitted = ({ principal, action }: AskedPolicy, may: readonly string[]): string => {
  const others = may.length === 0 ? 'nobody may here' : `${may.join(', ')} may`;
  return `nothing permits ${whoIs(principal)} to ${VERBS[action]}; ${others}`;
};

const whoIs = (principal: Principal): string => {
  const { kind, name } = principal;
  if (kind === 'person') return `${name} (${principal.roles.join(', ')})`;
  return kind === 'key' ? `the key ${name} (${principal.role})` : `${name} (${kind})`;
};

const VERBS: Readonly<Record<AskedPolicy['action'], string>> = {
  start: 'start a cycle',
  train: 'train an adapter',
  approve: 'approve',
  resume: 'resume',
  skip: 'skip',
  retry: 'retry an analysis',
  rearm: 'rearm',
  gold: 'set gold',
  deploy: 'deploy',
  promote: 'promote',
  people: 'change who may sign',
  gc: 'collect garbage',
  erase: 'erase',
  restore: 'restore',
  search: 'search',
  read: 'look at what serves',
  feedback: 'give feedback',
  documents: 'change documents',
  judge: 'judge',
  pin: 'choose the variant',
  metrics: 'read the metrics',
  keys: 'change API keys',
};
