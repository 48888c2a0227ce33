import { userInfo } from 'node:os';
import { arrayFromPayloads, defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPeople } from '../../adapters/keys/people.ts';
import { verifyToken } from '../../adapters/keys/token.ts';
import type { TriggerInput } from '../../contracts/guardian.ts';
import { guardianId } from '../../contracts/ids.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually } from '../support/requests.ts';
import { evidenceOf, stagesTo } from '../support/stages.ts';
import { type CliWorld, createCliWorld, errorOf } from './cli-world.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await createCliWorld();
  // Whoever asks for a cycle does not approve it.
  await world.pawl('people', 'add', 'grace', '--role', 'operator', '--no-passphrase');
}, 120_000);
afterAll(() => world.end());

const started = async (...args: string[]): Promise<string> => {
  const { json, stderr } = await world.pawl('cycle', 'start', '--json', ...args);
  expect(stderr).not.toContain('error');
  return (json as { cycle: string }).cycle;
};
/** Whichever of the two variants does not serve now. */
const challenger = async (): Promise<string> =>
  (await world.control.state('docs'))?.champion === world.champion ? world.challenger : world.champion;
const waitingForApproval = async (): Promise<string> => {
  world.stages = stagesTo(await challenger());
  const cycle = await started('--as', 'grace');
  const handle = world.client.workflow.getHandle(`pawl:docs:cycle:${cycle}`);
  await eventually(
    () => handle.query<{ approval: unknown }>('status'),
    ({ approval }) => approval !== null,
  );
  return cycle;
};

const newestTrigger = async (): Promise<TriggerInput[]> => {
  for await (const { workflowId } of world.client.workflow.list({ query: 'WorkflowType = "trigger"' })) {
    const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
    const { input } = events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    return arrayFromPayloads(defaultPayloadConverter, input?.payloads) as TriggerInput[];
  }
  return [];
};

describe('from init to a promotion, by hand', () => {
  test('nothing starts before a person has vouched for gold, and the answer says what to do', async () => {
    const refused = await world.pawl('cycle', 'start');
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('pawl gold set');
    expect(refused.stdout).toBe('');
  });

  test('gold set vouches for the champion with a signature', async () => {
    const { code, stdout } = await world.pawl('gold', 'set', '--reason', 'checked by hand');
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('pawl rearm docs') });
    expect(await world.control.state('docs')).toMatchObject({ gold: world.champion, latch: 'disarmed' });
  });

  test('rearm arms it, and names the person in the ledger', async () => {
    const { code, json } = await world.pawl('rearm', '--reason', 'gold is good', '--json');
    expect({ code, json }).toEqual({ code: 0, json: { subject: 'docs', accepted: true, what: expect.any(String) } });
    const rows = await world.control.ledger({ service: 'docs' });
    expect(rows.at(-1)).toMatchObject({ kind: 'arm', actor: { kind: 'person', name: 'ada' }, reason: 'gold is good' });
  });

  test('cycle start answers with the id of the cycle and the command that watches it', async () => {
    const { code, stdout } = await world.pawl('cycle', 'start', '--reason', 'for the test');
    const cycle = /si_\d{4}_\d{2}_\d{2}_001/.exec(stdout)?.[0];
    expect(code).toBe(0);
    expect(stdout).toContain(`Watch it: pawl cycle watch ${cycle}`);
  });

  test('cycle watch follows it to the promotion, one JSON object a line', async () => {
    const { code, stdout } = await world.pawl('cycle', 'watch', 'latest', '--json');
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(events.at(-1)).toMatchObject({ event: 'end', outcome: 'promoted', challenger: world.challenger });
    expect(events).toContainEqual(expect.objectContaining({ event: 'stage', stage: 'deploy', state: 'done' }));
  });

  test('cycle show tells its stages and its end, and cycle ls lists it with its outcome', async () => {
    const shown = await world.pawl('cycle', 'show');
    expect(shown.stdout).toMatch(/✓ evaluate.*better by 0\.1/);
    expect(shown.stdout).toContain('promoted: better by 0.1');
    const listed = await eventually(
      async () => (await world.pawl('cycle', 'ls', '--json')).json as Array<{ state: string; service: string }>,
      ([first]) => first?.state === 'promoted',
    );
    expect(listed).toEqual([expect.objectContaining({ service: 'docs', state: 'promoted', running: false })]);
  });

  test('cycle start names the person by the key that signed it, and --unsigned whoever is logged in', async () => {
    const inputOf = async (...args: string[]) => {
      const { json } = await world.pawl('cycle', 'start', '--reason', 'signed?', '--json', ...args);
      await world.pawl('cycle', 'watch', (json as { cycle: string }).cycle);
      const [trigger] = await newestTrigger();
      return trigger;
    };
    const [signed, unsigned] = [await inputOf(), await inputOf('--unsigned')];
    expect(signed).toMatchObject({ requestedBy: { kind: 'person', name: 'ada' }, token: expect.any(String) });
    const answer = verifyToken(signed?.token, await readPeople(world.home), Date.now());
    const start = { action: 'start', workflow: 'pawl:docs', step: null, variant: null, evidence: null };
    expect(answer).toMatchObject({ valid: true, claims: { ...start, person: 'ada', reason: 'signed?' } });
    expect(unsigned).toMatchObject({ requestedBy: { kind: 'person', name: userInfo().username } });
    expect(unsigned).not.toHaveProperty('token');
  });

  test('status says what serves now', async () => {
    const { stdout } = await world.pawl('status');
    expect(stdout).toContain('docs is armed');
    expect(stdout).toContain(`${world.challenger.slice(0, 12)} 100 %`);
  });
});

describe('decisions', () => {
  beforeAll(() => {
    world.plan = testPlan({ approval: { expiresMs: 600_000 } });
  });

  test('approve shows what it signs, and off a terminal asks for --yes', async () => {
    const cycle = await waitingForApproval();
    const asked = await world.pawl('approve', cycle, '--reason', 'looks right');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain(world.champion);
    expect(asked.stderr).toContain('--yes');
    const approved = await world.pawl('approve', cycle, '--reason', 'looks right', '--yes');
    expect(approved).toMatchObject({ code: 0, stdout: expect.stringContaining('approved') });
    const end = await world.pawl('cycle', 'watch', cycle);
    expect(end.stdout).toContain('approved by ada (operator): looks right');
    expect(end.code).toBe(0);
  });

  test('approve --print gives what the signal form of the Web UI takes, and that works', async () => {
    const cycle = await waitingForApproval();
    const printed = await world.pawl('approve', cycle, '--reason', 'ok', '--yes', '--print', '--json');
    const { kind, name, workflowId, input } = printed.json as {
      kind: string;
      name: string;
      workflowId: string;
      input: unknown;
    };
    expect({ kind, name }).toEqual({ kind: 'signal', name: 'approve' });
    await world.client.workflow.getHandle(workflowId).signal(name, input);
    expect((await world.pawl('cycle', 'watch', cycle)).code).toBe(0);
  });

  test('inbox shows what waits, with all that an approval is bound to, and is empty when nothing does', async () => {
    const nothing = await world.pawl('inbox');
    expect(nothing).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing waits') });
    const cycle = await waitingForApproval();
    const { json } = await world.pawl('inbox', '--json');
    const { approval } = (await world.pawl('cycle', 'show', cycle, '--json')).json as { approval: object };
    expect(json).toMatchObject({ you: 'ada', waiting: [{ service: 'docs', cycle, ...approval, notYou: null }] });
    const told = await world.pawl('inbox');
    expect(told.stdout).toContain(`pawl approve ${cycle} --service docs`);
    const asGrace = await world.pawl('inbox', '--as', 'grace');
    expect(asGrace.stdout).toContain('cannot: you asked for it');
    expect(asGrace.stdout).not.toContain('pawl approve');
    expect((await world.pawl('approve', cycle, '--reason', 'ok', '--yes')).code).toBe(0);
    await world.pawl('cycle', 'watch', cycle);
  });

  test('a rejected cycle ends with the exit code of a rejection', async () => {
    const cycle = await waitingForApproval();
    const rejected = await world.pawl('reject', cycle, '--reason', 'not convinced');
    expect(rejected.code).toBe(0);
    const watched = await world.pawl('cycle', 'watch', cycle);
    expect(watched.code).toBe(20);
    expect(watched.stdout).toContain('not convinced');
    const again = await world.pawl('approve', cycle, '--reason', 'too late', '--yes', '--json');
    expect({ code: again.code, type: errorOf(again).type }).toEqual({ code: 5, type: 'Refused' });
  });

  test('an aborted cycle that was waited for ends the waiting with its exit code', async () => {
    world.stages = stagesTo(await challenger());
    const running = world.pawl('cycle', 'start', '--wait', '--json');
    const { cycle } = await eventually(
      async () => ({ cycle: await waitingCycle() }),
      ({ cycle }) => cycle !== '',
    );
    expect((await world.pawl('cycle', 'abort', cycle, '--reason', 'wrong data')).code).toBe(0);
    const ended = await running;
    expect(ended.code).toBe(23);
    expect(ended.json).toMatchObject({
      cycle,
      end: { outcome: 'aborted', because: expect.stringContaining('wrong data') },
    });
  });
});

const waitingCycle = async (): Promise<string> => {
  const { running } = await world.client.workflow
    .getHandle(guardianId('docs'))
    .query<{ running: Array<{ cycle: string; workflowId: string }> }>('status');
  const [first] = running;
  if (!first) return '';
  const { approval } = await world.client.workflow.getHandle(first.workflowId).query<{ approval: unknown }>('status');
  return approval ? first.cycle : '';
};

describe('pausing', () => {
  beforeAll(() => {
    world.plan = testPlan();
  });

  test('a paused cycle goes on only after a signed resume', async () => {
    const gate = door();
    world.stages = stagesTo(world.challenger, {
      findBreach: async ({ key }) => {
        await gate.opened;
        return { summary: 'nothing', evidence: evidenceOf(key), findings: [] };
      },
    });
    const cycle = await started();
    expect((await world.pawl('cycle', 'pause', cycle, '--reason', 'wait')).code).toBe(0);
    gate.open();
    const held = await world.pawl('cycle', 'show', cycle, '--json');
    expect(held.json).toMatchObject({ paused: true, end: null });
    expect((await world.pawl('cycle', 'resume', cycle, '--reason', 'go on')).code).toBe(0);
    expect((await world.pawl('cycle', 'watch', cycle)).stdout).toContain(cycle);
  });

  test('skip is refused while the cycle is not watching', async () => {
    const gate = door();
    world.stages = stagesTo(world.challenger, {
      findBreach: async ({ key }) => {
        await gate.opened;
        return { summary: 'nothing', evidence: evidenceOf(key), findings: [] };
      },
    });
    const cycle = await started();
    const refused = await world.pawl('cycle', 'skip', cycle, '--reason', 'hurry');
    gate.open();
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('Only watching can be skipped') });
    await world.pawl('cycle', 'watch', cycle);
  });

  test('a paused service admits nothing until a signed resume', async () => {
    expect((await world.pawl('pause', '--reason', 'release day')).code).toBe(0);
    const refused = await world.pawl('cycle', 'start');
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('pawl resume') });
    expect((await world.pawl('resume', 'docs', '--reason', 'it is out')).code).toBe(0);
    expect((await world.pawl('status', '--json')).json).toMatchObject([{ guardian: { paused: false } }]);
  });
});

describe('what is not there', () => {
  test.each([
    [['cycle', 'show', 'si_2001_01_01_001'], 4, 'NotFound'],
    [['cycle', 'show', 'nonsense'], 2, 'Usage'],
    [['cycle', 'start', 'elsewhere'], 4, 'NotFound'],
    [['variant', 'show', 'ffff'], 4, 'NotFound'],
    [['schedule', 'pause', 'nightly'], 4, 'NotFound'],
    [['reject', 'latest'], 2, 'Usage'],
    [['cycle', 'ls', '--limit', 'many'], 2, 'Usage'],
  ])('pawl %j says so: exit code %i, %s', async (args, code, type) => {
    const ran = await world.pawl(...args, '--json');
    expect({ code: ran.code, type: errorOf(ran).type, stdout: ran.stdout }).toEqual({ code, type, stdout: '' });
  });
});
