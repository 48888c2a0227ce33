import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, test } from 'vitest';
import { type CedarOptions, cedarPolicy } from '../../adapters/policy/cedar.ts';
import { SHIPPED_POLICIES } from '../../adapters/policy/files.ts';
import type { AskedPolicy } from '../../adapters/policy/port.ts';
import { readTables, tryTables } from '../../adapters/policy/tables.ts';
import { shippedPolicy } from '../support/policy.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const tables = await readTables(join(SHIPPED_POLICIES, 'tests'));
const { policies } = await cedarPolicy({ home: '/nowhere' }).bundle();

describe('the tables', () => {
  test.each(tables.map((row) => [row.it, row] as const))('%s', async (_, row) => {
    const [result] = await tryTables(shippedPolicy, [row]);
    expect(result?.problem).toBeNull();
  });

  test.each([...policies.values()].map(({ id }) => id))('notice when the policy %s is missing', async (id) => {
    const shipped = await shippedWithout(id);
    const results = await tryTables(cedarPolicy({ home: '/nowhere', shipped }), tables);
    const otherwise = results.filter(({ row, decision }) => decision.allowed !== row.expected.allowed);
    expect(otherwise.map(({ row }) => row.it)).not.toEqual([]);
  });
});

test('each policy is found where it stands, in whatever order they are read', async () => {
  for (const { id, file, line, text } of policies.values()) {
    const lines = (await readFile(join(SHIPPED_POLICIES, file), 'utf8')).split('\n');
    expect(lines[line - 1]).toBe(text.split('\n')[0]);
    expect(lines[line - 1]).toContain(`"${id}"`);
  }
});

/** Pawl's policies with one of them cut out. */
const shippedWithout = async (id: string): Promise<string> => {
  const folder = await shippedCopy();
  const { file, text } = policies.get(id) ?? { file: '', text: '' };
  const path = join(folder, file);
  await writeFile(path, (await readFile(path, 'utf8')).replace(text, ''));
  return folder;
};

const shippedCopy = async (): Promise<string> => {
  const folder = temporaryFolder();
  for (const name of await readdir(SHIPPED_POLICIES)) {
    if (name !== 'tests') await cp(join(SHIPPED_POLICIES, name), join(folder, name));
  }
  return folder;
};

const approval: AskedPolicy = {
  id: 'one',
  action: 'approve',
  principal: { kind: 'person', name: 'ada', roles: ['approver'] },
  service: 'docs',
  environment: 'staging',
  context: { requestedBy: { kind: 'gate', name: 'ndcg' }, approvedBy: [] },
};

/** A home with a policy of its own. */
const homeWith = async (text: string, name = 'own.cedar'): Promise<string> => {
  const home = temporaryFolder();
  await mkdir(join(home, 'policies'));
  await writeFile(join(home, 'policies', name), text);
  return home;
};

describe('a home with policies of its own', () => {
  const FROZEN = `@id("own.freeze")
@because("nothing changes before the fair")
forbid (principal, action, resource) when { resource.name == "docs" };`;

  test('can forbid more, and a change counts from the next question on', async () => {
    const home = await homeWith(FROZEN);
    const policy = cedarPolicy({ home });
    expect(await policy.decide(approval)).toMatchObject({
      allowed: false,
      policies: ['own.freeze'],
      because: 'nothing changes before the fair',
    });
    await writeFile(join(home, 'policies', 'own.cedar'), FROZEN.replace('"docs"', '"shop"'));
    expect(await policy.decide(approval)).toMatchObject({ allowed: true });
  });

  test('can permit to roles of its own, but not past a condition', async () => {
    const home = await homeWith(
      '@id("own.owner") @because("owners decide") permit (principal in Role::"owner", action, resource);',
    );
    const owner = { kind: 'person', name: 'ada', roles: ['owner'] } as const;
    const { decide } = cedarPolicy({ home });
    expect(await decide({ ...approval, principal: owner })).toMatchObject({ allowed: true, because: 'owners decide' });
    const own = { requestedBy: { kind: 'person', name: 'ada' }, approvedBy: [] };
    expect(await decide({ ...approval, principal: owner, context: own })).toMatchObject({ allowed: false });
    const viewer = { ...owner, roles: ['viewer'] };
    expect(await decide({ ...approval, principal: viewer })).toMatchObject({
      because: expect.stringContaining('admin, approver, owner may'),
    });
  });

  test('is asked under another digest, and the same texts have the same one', async () => {
    const [plain, again] = await Promise.all([1, 2].map(() => cedarPolicy({ home: '/nowhere' }).decide(approval)));
    const own = await cedarPolicy({ home: await homeWith(FROZEN) }).decide(approval);
    expect(again).toEqual(plain);
    expect(own.bundle).toMatch(/^[0-9a-f]{64}$/);
    expect(own.bundle).not.toBe(plain?.bundle);
  });
});

describe('abuse 25: policy engine down must deny', () => {
  const decide = (options: Partial<CedarOptions>) => cedarPolicy({ home: '/nowhere', ...options }).decide(approval);

  test.each([
    ['that does not parse', 'permit (principal, action, resource', 'policies/own.cedar:1'],
    [
      'with an action that does not exist',
      '\n\n@id("a") @because("b")\npermit (principal, action == Action::"aprove", resource);',
      'policies/own.cedar:4',
    ],
    [
      'that looks at a fact that may be missing',
      '@id("a") @because("b")\npermit (principal, action == Action::"approve", resource)\nwhen { context.roles.contains("x") };',
      'policies/own.cedar:3',
    ],
    [
      'that can never apply',
      '@id("a") @because("b")\nforbid (principal is Role, action, resource);',
      'policies/own.cedar:1',
    ],
    ['without an id', '@because("b") permit (principal, action, resource);', '@id'],
    ['that says nothing to a person', '@id("a") permit (principal, action, resource);', '@because'],
    ['with the id of another', '@id("role.admin") @because("b") permit (principal, action, resource);', 'roles.cedar:'],
    ['that is a template', '@id("a") @because("b") permit (principal == ?principal, action, resource);', 'templates'],
  ])('one policy %s denies everything, and names the place', async (_, text, place) => {
    expect(await decide({ home: await homeWith(text) })).toMatchObject({
      id: 'one',
      allowed: false,
      policies: [],
      because: expect.stringContaining(place),
    });
  });

  test('a policy that cannot be evaluated denies, although another one permits', async () => {
    const overflow = `@id("own.overflow") @because("never")
forbid (principal, action == Action::"start", resource)
when { context.used.cycles * 9223372036854775807 * 9 == 7 };`;
    const { decide } = cedarPolicy({ home: await homeWith(overflow) });
    const context = {
      trigger: 'gate',
      used: { cycles: 3, cents: 0, gpuMinutes: 0 },
      limits: { cyclesPerDay: 12 },
    };
    const answer = await decide({
      ...approval,
      action: 'start',
      principal: { kind: 'automation', name: 'gate' },
      context,
    });
    expect(answer).toMatchObject({ allowed: false, because: expect.stringContaining('own.overflow') });
  });

  test('a schema that is missing or broken denies', async () => {
    const shipped = await shippedCopy();
    await writeFile(join(shipped, 'schema.cedarschema'), 'entity Role;\nentity');
    expect(await decide({ shipped })).toMatchObject({
      allowed: false,
      because: expect.stringContaining('schema.cedarschema:2'),
    });
    expect(await decide({ shipped: temporaryFolder() })).toMatchObject({
      allowed: false,
      because: expect.stringContaining('schema.cedarschema'),
    });
  });

  test('without any policy nothing is permitted', async () => {
    const shipped = await shippedCopy();
    for (const name of ['roles.cedar', 'conditions.cedar']) await writeFile(join(shipped, name), '');
    expect(await decide({ shipped })).toMatchObject({ allowed: false, because: expect.stringContaining('nobody may') });
  });

  test('an engine that cannot be loaded, or that throws, denies', async () => {
    const load = () => Promise.reject(new Error('no WebAssembly here'));
    expect(await decide({ load })).toMatchObject({
      allowed: false,
      because: expect.stringContaining('no WebAssembly here'),
    });
    const statefulIsAuthorized = () => {
      throw new Error('unreachable');
    };
    const throws = async () => ({ ...cedar, statefulIsAuthorized });
    expect(await decide({ load: throws })).toMatchObject({
      allowed: false,
      because: expect.stringContaining('unreachable'),
    });
  });

  test.each([
    ['an action that nobody knows', { action: 'explode' }],
    ['no context', { context: null }],
    ['half a cycle', { context: { ...approval.context, approvedBy: 0.5 } }],
    ['a fact that nobody knows', { context: { ...approval.context, aprovedBy: [] } }],
    ['no principal', { principal: undefined }],
    ['an environment that is no text', { environment: 7 }],
  ])('a question with %s is denied', async (_, odd) => {
    const question = { ...approval, ...odd } as unknown as AskedPolicy;
    expect(await shippedPolicy.decide(question)).toMatchObject({ id: 'one', allowed: false });
  });
});
