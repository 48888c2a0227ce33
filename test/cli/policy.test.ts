import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { Context } from '../../cli/context.ts';
import { createOutput } from '../../cli/output.ts';
import { permit } from '../../cli/permission.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { errorOf, folderWithData, INIT, pawlIn } from './cli-world.ts';

describe('pawl policy', () => {
  let home: string;
  beforeAll(async () => {
    home = await folderWithData();
    const made = await pawlIn(home, INIT);
    if (made.code !== 0) throw new Error(made.stderr);
  });
  afterAll(() => rm(home, { recursive: true, force: true }));
  beforeEach(() => rm(join(home, 'policies'), { recursive: true, force: true }));

  const own = async (file: string, text: string) => {
    await mkdir(join(home, 'policies', 'tests'), { recursive: true });
    await writeFile(join(home, 'policies', file), text);
  };
  const FREEZE = `@id("own.freeze")
@because("nothing changes before the fair")
forbid (principal, action == Action::"gold", resource);`;

  test('ls shows every policy with its sentence, those of the home too', async () => {
    await own('own.cedar', FREEZE);
    const { stdout, code } = await pawlIn(home, ['policy', 'ls']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/role\.approver +permit +roles\.cedar:\d+ +an approver decides/);
    expect(stdout).toMatch(/own\.freeze +forbid +policies\/own\.cedar:1 +nothing changes/);
  });

  test('test asks the tables, those of the home too, and says which row is not as expected', async () => {
    const fine = await pawlIn(home, ['policy', 'test', '--json']);
    expect(fine).toMatchObject({ code: 0, json: { failed: 0 } });

    const ROW = '- { it: admins set gold, action: gold, person: ada, roles: [admin], environment: dev, allowed: true }';
    await own('tests/own.yaml', ROW);
    expect(await pawlIn(home, ['policy', 'test', '--own', '--json'])).toMatchObject({ code: 0, json: { passed: 1 } });
    await own('own.cedar', FREEZE);
    const failed = await pawlIn(home, ['policy', 'test', '--own']);
    expect(failed.code).toBe(13);
    expect(failed.stdout).toContain('admins set gold');
    expect(failed.stdout).toContain('expected yes, got no: nothing changes before the fair');
  });

  test('explain says what is decided, which condition says so, and on what', async () => {
    const facts = JSON.stringify({ requestedBy: { kind: 'person', name: 'ada' } });
    const ask = ['policy', 'explain', '--action', 'approve', '--person', 'ada'];
    expect(await pawlIn(home, [...ask, '--json'])).toMatchObject({ json: { decision: { allowed: true } } });
    const { stdout } = await pawlIn(home, [...ask, '--facts', facts]);
    expect(stdout).toContain('no: nobody approves what they asked for');
    expect(stdout).toContain('approve.not-ones-own');
    expect(stdout).toContain('person ada (operator, approver, admin)');
    const wrong = await pawlIn(home, [...ask, '--facts', 'none', '--json']);
    expect(errorOf(wrong)).toMatchObject({ type: 'Usage', message: expect.stringContaining('--facts') });
  });

  test('a policy that is broken is an error with its place', async () => {
    await own('own.cedar', '\n\npermit (principal');
    const { code, stderr } = await pawlIn(home, ['policy', 'ls', '--json']);
    expect(code).toBe(3);
    expect(stderr).toContain('policies/own.cedar:3');
  });

  const contextHere = () => {
    const stream = { write: () => true };
    const out = createOutput({ json: true, colour: false, stdout: stream, stderr: stream, stdin: {} });
    const homeSources = { flag: home, variable: undefined, folder: home };
    return new Context({ environment: readEnvironment(), out, homeSources });
  };
  const decisions = async () => {
    const control = sqliteControl(homePaths(home).control);
    const rows = await control.ledger({ kind: 'decision' });
    control.close();
    return rows;
  };
  const WANTED = { action: 'erase', service: 'docs', subject: 'user 17', reason: 'asked for it' } as const;

  test('what a command asks permission for is proven by a signature and recorded, and can be explained later', async () => {
    const context = contextHere();
    const decision = await permit(context, WANTED);
    await context.close();
    expect(decision).toMatchObject({ allowed: true, policies: ['role.admin'] });
    const row = (await decisions()).at(-1);
    expect(row).toMatchObject({
      service: 'docs',
      actor: { kind: 'person', name: 'ada' },
      reason: 'asked for it',
      body: { action: 'erase', person: 'ada', policy: decision, input: { facts: { subject: 'user 17' } } },
    });
    const explained = await pawlIn(home, ['policy', 'explain', decision.id, '--json']);
    expect(explained).toMatchObject({
      code: 0,
      json: { seq: row?.seq, decision: { id: decision.id }, now: { allowed: true } },
    });
  });

  test('what the policy does not permit is an error that says why, and is recorded as well', async () => {
    const path = homePaths(home).people;
    const people = await readFile(path, 'utf8');
    await writeFile(
      path,
      people.replaceAll(/"(operator|approver|admin)"(,?)/g, (_, role) => (role === 'admin' ? '"viewer"' : '')),
    );
    const context = contextHere();
    const refused = permit(context, WANTED);
    await expect(refused).rejects.toMatchObject({ type: 'NotAllowed', message: expect.stringContaining('admin may') });
    await context.close();
    await writeFile(path, people);
    expect((await decisions()).at(-1)).toMatchObject({ body: { action: 'erase', allowed: false, person: 'ada' } });
  });
});
