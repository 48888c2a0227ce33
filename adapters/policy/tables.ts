/** Tables of questions with the answers that a team expects: `policies/tests/*.yaml`, and those that Pawl brings. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { DEFAULT_TENANT, KEY_ROLES } from '../../contracts/access.ts';
import { PawlError } from '../../contracts/failures.ts';
import { ENVIRONMENTS } from '../../contracts/plan.ts';
import { POLICY_ACTIONS, type PolicyDecision, type Principal } from '../../contracts/policy.ts';
import type { AskedPolicy, PolicyEngine } from './port.ts';

const name = z.string().min(1);
const row = z
  .strictObject({
    it: name,
    action: z.enum(POLICY_ACTIONS),
    /** Exactly one of these says who asks. */
    person: name.optional(),
    unsigned: name.optional(),
    automation: name.optional(),
    key: name.optional(),
    visitor: name.optional(),
    /** Of a person. */
    roles: z.array(name).default([]),
    /** Of a key. */
    keyRole: z.enum(KEY_ROLES).default('reader'),
    tenant: name.default(DEFAULT_TENANT),
    service: name.default('docs'),
    environment: z.enum(ENVIRONMENTS).nullable(),
    facts: z.record(z.string(), z.unknown()).default({}),
    allowed: z.boolean(),
    /** Exactly these decided; not looked at where it is left out. */
    policies: z.array(name).optional(),
    /** Part of the sentence. */
    because: name.optional(),
  })
  .refine(
    ({ person, unsigned, automation, key, visitor }) =>
      [person, unsigned, automation, key, visitor].filter((one) => one !== undefined).length === 1,
    'exactly one of person, unsigned, automation, key, visitor',
  );
const table = z.array(row).min(1);

export interface TableRow {
  readonly file: string;
  readonly it: string;
  readonly question: AskedPolicy;
  readonly expected: { readonly allowed: boolean; readonly policies?: readonly string[]; readonly because?: string };
}
export interface TableResult {
  readonly row: TableRow;
  readonly decision: PolicyDecision;
  /** What is not as expected; null where all is. */
  readonly problem: string | null;
}

/** The tables of a folder; none where there is no folder. */
export const readTables = async (folder: string): Promise<readonly TableRow[]> => {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((file) => /\.(ya?ml|json)$/.test(file)).sort();
  const read = await Promise.all(files.map(async (file) => tableIn(file, await readFile(join(folder, file), 'utf8'))));
  return read.flat();
};

const tableIn = (file: string, text: string): readonly TableRow[] => {
  const wrong = (what: string) =>
    new PawlError('ConfigInvalid', `${file}: ${what}`, { hint: 'docs/guide/policy.md shows what a table looks like.' });
  let value: unknown;
  try {
    value = parse(text, { merge: true });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  const parsed = table.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(`row ${Number(issue?.path[0] ?? 0) + 1}: ${issue?.path.slice(1).join('.')} ${issue?.message}`);
  }
  return parsed.data.map(({ it, action, service, environment, facts, allowed, policies, because, ...who }, at) => ({
    file,
    it,
    question: { id: `${file}/${at + 1}`, action, principal: principalOf(who), service, environment, context: facts },
    expected: { allowed, ...(policies && { policies }), ...(because !== undefined && { because }) },
  }));
};

type Who = Pick<
  z.infer<typeof row>,
  'person' | 'unsigned' | 'automation' | 'key' | 'visitor' | 'roles' | 'keyRole' | 'tenant'
>;

const principalOf = ({ person, unsigned, automation, key, visitor, roles, keyRole, tenant }: Who): Principal => {
  if (person !== undefined) return { kind: 'person', name: person, roles };
  if (unsigned !== undefined) return { kind: 'unsigned', name: unsigned };
  if (key !== undefined) return { kind: 'key', name: key, role: keyRole, tenant };
  if (visitor !== undefined) return { kind: 'visitor', name: visitor };
  return { kind: 'automation', name: automation ?? '' };
};

export const tryTables = async (policy: PolicyEngine, rows: readonly TableRow[]): Promise<readonly TableResult[]> => {
  const results: TableResult[] = [];
  for (const row of rows) {
    const decision = await policy.decide(row.question);
    results.push({ row, decision, problem: problemOf(row, decision) });
  }
  return results;
};

const problemOf = ({ expected }: TableRow, { allowed, policies, because }: PolicyDecision): string | null => {
  if (allowed !== expected.allowed) {
    return `expected ${expected.allowed ? 'yes' : 'no'}, got ${allowed ? 'yes' : 'no'}: ${because}`;
  }
  const wanted = expected.policies?.toSorted().join(', ');
  if (wanted !== undefined && wanted !== policies.toSorted().join(', ')) {
    return `expected ${wanted || 'no policy'} to decide, but it was ${policies.join(', ') || 'none'}: ${because}`;
  }
  if (expected.because !== undefined && !because.includes(expected.because)) {
    return `expected a sentence with "${expected.because}", got: ${because}`;
  }
  return null;
};
