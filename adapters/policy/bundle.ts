/**
 * The policies, checked as a whole.
 *
 * 1. Each has an id of its own (`@id`) and a sentence for a person (`@because`); there are no templates.
 * 2. Each is valid by the schema. One that can never apply is an error too: it protects nobody.
 * 3. One file that is broken breaks all of them, and is named with its line.
 */
import type * as Cedar from '@cedar-policy/cedar-wasm/nodejs';
import { PawlError } from '../../contracts/failures.ts';
import { askersOf, type FactShape, factsOf } from './facts.ts';
import type { PolicyFile, PolicyTexts } from './files.ts';

export type CedarModule = Pick<
  typeof Cedar,
  | 'checkParsePolicySet'
  | 'checkParseSchema'
  | 'policySetTextToParts'
  | 'policyToJson'
  | 'preparsePolicySet'
  | 'preparseSchema'
  | 'schemaToJson'
  | 'statefulIsAuthorized'
  | 'validate'
>;

export interface Policy {
  readonly id: string;
  readonly effect: Cedar.Effect;
  readonly because: string;
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

export interface PolicyBundle {
  readonly digest: string;
  readonly policies: ReadonlyMap<string, Policy>;
  /** Every role that some policy names, of people and of keys. */
  readonly roles: readonly string[];
  readonly keyRoles: readonly string[];
  /** What each action must be told. */
  readonly facts: ReadonlyMap<string, FactShape>;
  /** The types of those who can ask for each action at all. */
  readonly askers: ReadonlyMap<string, readonly string[]>;
}

export const checkedBundle = (cedar: CedarModule, { schema, files, digest }: PolicyTexts): PolicyBundle => {
  const parsed = cedar.schemaToJson(schema.text);
  if (parsed.type === 'failure') throw broken(parsed.errors.map((error) => problem(schema, error)));

  const policies = new Map<string, Policy>();
  const named: Record<RoleType, Set<string>> = { Role: new Set(), KeyRole: new Set() };
  for (const file of files) {
    for (const { roles, ...policy } of policiesOf(cedar, file)) {
      const twin = policies.get(policy.id);
      if (twin)
        throw broken([`${file.name}:${policy.line}  the id ${policy.id} stands in ${twin.file}:${twin.line} too`]);
      policies.set(policy.id, policy);
      for (const { type, id } of roles) named[type].add(id);
    }
  }

  const staticPolicies = Object.fromEntries([...policies.values()].map(({ id, text }) => [id, text]));
  const checked = cedar.validate({ schema: schema.text, policies: { staticPolicies } });
  if (checked.type === 'failure') throw broken(checked.errors.map((error) => problem(schema, error)));
  const found = [...checked.validationErrors, ...checked.validationWarnings];
  if (found.length > 0) throw broken(found.map(({ policyId, error }) => misfit(policies.get(policyId), error)));

  done(cedar.preparseSchema(digest, schema.text));
  done(cedar.preparsePolicySet(digest, { staticPolicies }));
  const sorted = (type: RoleType) => [...named[type]].sort();
  const [roles, keyRoles] = [sorted('Role'), sorted('KeyRole')];
  return { digest, policies, roles, keyRoles, facts: factsOf(parsed.json), askers: askersOf(parsed.json) };
};

type RoleType = 'Role' | 'KeyRole';
interface NamedRole {
  readonly type: RoleType;
  readonly id: string;
}

const policiesOf = (cedar: CedarModule, file: PolicyFile): Array<Policy & { roles: readonly NamedRole[] }> => {
  const parts = cedar.policySetTextToParts(file.text);
  if (parts.type === 'failure') {
    // Says where, which the call above does not.
    const check = cedar.checkParsePolicySet({ staticPolicies: file.text });
    throw broken((check.type === 'failure' ? check.errors : parts.errors).map((error) => problem(file, error)));
  }
  if (parts.policy_templates.length > 0) throw broken([`${file.name}:1  templates are not used here`]);
  return parts.policies.map((text) => {
    // They come in another order than they stand in; no two are alike, because each has an id of its own.
    const line = lineAt(file.text, file.text.indexOf(text));
    const parsed = cedar.policyToJson(text);
    if (parsed.type === 'failure') throw broken(parsed.errors.map(({ message }) => `${file.name}:${line}  ${message}`));
    const { effect, annotations = {} } = parsed.json;
    const { id, because } = annotations;
    if (!id || !because) {
      throw broken([`${file.name}:${line}  a policy needs @id("…") and @because("a sentence for a person")`]);
    }
    return { id, effect, because, text, file: file.name, line, roles: rolesIn(parsed.json) };
  });
};

/** Wherever a policy names one. */
const rolesIn = (json: unknown): readonly NamedRole[] => {
  if (typeof json !== 'object' || json === null) return [];
  const { type, id } = json as { type?: unknown; id?: unknown };
  const isRole = (type === 'Role' || type === 'KeyRole') && typeof id === 'string';
  return isRole ? [{ type, id }] : Object.values(json).flatMap(rolesIn);
};

const problem = ({ name, text }: PolicyFile, { message, help, sourceLocations }: Cedar.DetailedError): string => {
  const start = sourceLocations?.[0]?.start;
  // Cedar counts bytes.
  const line = start === undefined ? 1 : Buffer.from(text).subarray(0, start).toString().split('\n').length;
  return `${name}:${line}  ${message}${help ? ` (${help})` : ''}`;
};

const misfit = (policy: Policy | undefined, error: Cedar.DetailedError): string => {
  if (!policy) return error.message;
  const start = error.sourceLocations?.[0]?.start ?? 0;
  const within = Buffer.from(policy.text).subarray(0, start).toString().split('\n').length - 1;
  return `${policy.file}:${policy.line + within}  ${error.message}${error.help ? ` (${error.help})` : ''}`;
};

const lineAt = (text: string, at: number): number => text.slice(0, at).split('\n').length;

const done = (answer: Cedar.CheckParseAnswer): void => {
  if (answer.type === 'failure') throw broken(answer.errors.map(({ message }) => message));
};

const broken = (problems: readonly string[]): PawlError =>
  new PawlError('ConfigInvalid', [...problems].sort().join('; '), {
    hint: 'Correct the policy; until then every answer is no.',
  });
