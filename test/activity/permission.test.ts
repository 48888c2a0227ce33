import { expect, onTestFinished, test } from 'vitest';
import { createControlActivities } from '../../activities/control.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import type { AskedPolicy, PolicyEngine } from '../../adapters/policy/port.ts';
import { PawlError } from '../../contracts/failures.ts';
import { cycleWorkflowId } from '../../contracts/ids.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import type { TrafficChange } from '../../contracts/traffic.ts';
import { testPlan } from '../support/plan.ts';
import { servicesOf, shippedPolicy } from '../support/policy.ts';
import { signer } from '../support/signers.ts';
import { challengerOf, championOf, registerService } from '../support/world.ts';

const SERVICE = 'docs';
const CYCLE = 'si_2026_11_21_001';
const [champion, challenger] = [championOf(SERVICE), challengerOf(SERVICE)];
const down: PolicyEngine = {
  decide: async ({ id }) => ({ id, allowed: false, policies: [], because: 'the policy cannot be asked', bundle: '' }),
};

/** A registered service whose lane a cycle holds, admitted with this plan. */
const scene = async (changes: Partial<CyclePlan> = {}) => {
  const control = sqliteControl(':memory:');
  onTestFinished(() => control.close());
  await registerService(control, SERVICE);
  const given = { plan: testPlan(changes), policy: shippedPolicy };
  const asked: AskedPolicy[] = [];
  const decide = (question: AskedPolicy) => {
    asked.push(question);
    return given.policy.decide(question);
  };
  const people = ['grace', 'joan'].map((name) => signer(name, 'approver').person);
  const revoke = (name: string) => {
    const who = people.findIndex((person) => person.name === name);
    Object.assign(people[who] ?? {}, { revoked: { at: '2026-11-21T00:00:00.000Z', reason: 'left' } });
  };
  const deps = {
    control,
    people: async () => people,
    policy: { decide },
    services: servicesOf(() => given.plan),
    now: Date.now,
  };
  const actor = { kind: 'cycle', name: CYCLE };
  const row = { service: SERVICE, cycle: CYCLE, actor, reason: 'for the test' };
  const admitted = (approval: CyclePlan['approval']) =>
    control.note({ ...row, key: 'admitted', kind: 'cycle admitted', body: { approval } });
  const approved = (person: string, over: Record<string, unknown> = {}) => {
    const body = {
      action: 'approve',
      allowed: true,
      person,
      kid: people.find(({ name }) => name === person)?.kid,
      variant: challenger,
      workflow: cycleWorkflowId(SERVICE, CYCLE),
      ...over,
    };
    return control.note({ ...row, key: `approved ${JSON.stringify(body)}`, kind: 'decision', body });
  };
  const granted = await control.grant({ ...row, key: 'lane' });
  const { epoch = 0, promotion = 0 } = granted.state ?? {};
  const change = (over: Partial<TrafficChange> = {}): TrafficChange => ({
    ...{ ...row, key: 'promote', reason: 'promote', token: { epoch, promotion } },
    arms: [{ variant: challenger, share: 1 }],
    champion: challenger,
    ...over,
  });
  const deploy = (over: Partial<TrafficChange> = {}): TrafficChange => {
    const arms = [
      { variant: champion, share: 0.5 },
      { variant: challenger, share: 0.5 },
    ];
    const { champion: _, ...rest } = change({ key: 'deploy', reason: 'deploy', arms, ...over });
    return rest;
  };
  const decisions = () => control.ledger({ kind: 'decision' });
  return {
    given,
    control,
    asked,
    admitted,
    approved,
    revoke,
    change,
    deploy,
    decisions,
    ...createControlActivities(deps),
  };
};

test('a promotion that the plan lets pass is made, and the decision is in the ledger', async () => {
  const { admitted, shiftTraffic, change, decisions } = await scene();
  await admitted(null);
  expect(await shiftTraffic(change())).toMatchObject({ outcome: 'done', state: { champion: challenger } });
  expect(await decisions()).toMatchObject([
    {
      service: SERVICE,
      cycle: CYCLE,
      actor: { kind: 'automation', name: CYCLE },
      body: { action: 'promote', allowed: true, person: null, variant: challenger, policy: { allowed: true } },
    },
  ]);
});

test.each([
  ['nobody', []],
  ['too few people', [['grace']]],
  ['one person twice', [['grace'], ['grace', { step: 'again' }]]],
  ['somebody for another variant', [['grace'], ['joan', { variant: champion }]]],
  ['somebody for another cycle', [['grace'], ['joan', { workflow: cycleWorkflowId(SERVICE, 'si_2026_11_21_002') }]]],
  ['somebody who was refused', [['grace'], ['joan', { allowed: false }]]],
  ['somebody for something else', [['grace'], ['joan', { action: 'resume' }]]],
] as ReadonlyArray<[string, ReadonlyArray<[string, Record<string, unknown>?]>]>)(
  'a cycle that was approved by %s moves no traffic, whatever its workflow thinks',
  async (_, given) => {
    const { control, admitted, approved, shiftTraffic, change, deploy } = await scene({ environment: 'production' });
    await admitted({ expiresMs: 1_000, quorum: 2 });
    for (const [person, over] of given) await approved(person, over);
    const why = expect.stringContaining('asks for 2 approvals');
    expect(await shiftTraffic(deploy())).toMatchObject({ outcome: 'refused', because: 'policy', why });
    expect(await shiftTraffic(change())).toMatchObject({ outcome: 'refused', because: 'policy', why });
    expect(await control.state(SERVICE)).toMatchObject({ champion, arms: [{ variant: champion, share: 1 }] });
  },
);

test('the approvals that the plan asks for let a cycle pass', async () => {
  const { admitted, approved, shiftTraffic, change, deploy } = await scene({ environment: 'production' });
  await admitted({ expiresMs: 1_000, quorum: 2 });
  await approved('grace');
  await approved('joan');
  expect(await shiftTraffic(deploy())).toMatchObject({ outcome: 'done' });
  expect(await shiftTraffic(change())).toMatchObject({ outcome: 'done' });
});

test('an approval counts no more once its giver is revoked', async () => {
  const { admitted, approved, revoke, shiftTraffic, change, deploy } = await scene({ environment: 'production' });
  await admitted({ expiresMs: 1_000, quorum: 2 });
  await approved('grace');
  await approved('joan');
  expect(await shiftTraffic(deploy())).toMatchObject({ outcome: 'done' });
  revoke('grace');
  const why = expect.stringContaining('asks for 2 approvals');
  expect(await shiftTraffic(change())).toMatchObject({ outcome: 'refused', because: 'policy', why });
});

test('a cycle whose admission is not in the ledger moves no traffic', async () => {
  const { shiftTraffic, change } = await scene();
  expect(await shiftTraffic(change())).toMatchObject({
    because: 'policy',
    why: expect.stringContaining('missing: quorum'),
  });
});

test('what a cycle was admitted with before plans stood in the ledger is held against the configuration of now', async () => {
  const { given, control, shiftTraffic, deploy, change } = await scene({ approval: { expiresMs: 1_000 } });
  const row = {
    service: SERVICE,
    cycle: CYCLE,
    actor: { kind: 'guardian', name: 'guardian' },
    reason: 'old',
    body: {},
  };
  await control.note({ ...row, key: 'old', kind: 'cycle admitted' });
  expect(await shiftTraffic(deploy())).toMatchObject({
    because: 'policy',
    why: expect.stringContaining('1 approvals'),
  });
  given.plan = testPlan();
  expect(await shiftTraffic(change())).toMatchObject({ outcome: 'done' });
});

test('the mode is that of the configuration now, and one that cannot be read lets nothing pass', async () => {
  const { given, admitted, shiftTraffic, deploy, change } = await scene();
  await admitted(null);
  given.plan = testPlan({ mode: 'advise' });
  expect(await shiftTraffic(deploy())).toMatchObject({ because: 'policy', why: expect.stringContaining('advise') });
  Object.defineProperty(given, 'plan', {
    get: () => {
      throw new PawlError('ConfigInvalid', 'pawl.yaml:3 is broken');
    },
  });
  expect(await shiftTraffic(change())).toMatchObject({
    because: 'policy',
    why: expect.stringContaining('missing: approvals, mode, quorum'),
  });
});

test('what it is called does not matter: a promotion under another name is asked for all the same', async () => {
  const { admitted, shiftTraffic, change, decisions } = await scene({ environment: 'production' });
  await admitted({ expiresMs: 1_000, quorum: 1 });
  expect(await shiftTraffic(change({ reason: 'restore' }))).toMatchObject({ outcome: 'refused', because: 'policy' });
  expect(await decisions()).toMatchObject([{ body: { action: 'promote', allowed: false } }]);
});

test('a challenger that is interleaved has a hand in more answers, so the policy is asked; mirrored, it has a hand in none', async () => {
  const { given, admitted, shiftTraffic, deploy, decisions } = await scene();
  await admitted(null);
  const arms = [
    { variant: champion, share: 0.9 },
    { variant: challenger, share: 0.1 },
  ];
  expect(await shiftTraffic(deploy({ key: 'few', arms }))).toMatchObject({ outcome: 'done' });
  given.policy = down;
  const mirrored = arms.map((arm) => ({ ...arm, mirror: 0.5 }));
  expect(await shiftTraffic(deploy({ key: 'mirror', arms: mirrored }))).toMatchObject({ outcome: 'done' });
  const mixed = arms.map((arm) => ({ ...arm, interleave: true }) as const);
  expect(await shiftTraffic(deploy({ key: 'mix', arms: mixed }))).toMatchObject({ because: 'policy' });
  expect((await decisions()).map(({ body }) => [body.action, body.allowed])).toEqual([
    ['deploy', true],
    ['deploy', false],
  ]);
  given.policy = shippedPolicy;
  expect(await shiftTraffic(deploy({ key: 'mix again', arms: mixed }))).toMatchObject({ outcome: 'done' });
  given.policy = down;
  expect(await shiftTraffic(deploy({ key: 'apart', arms }))).toMatchObject({ outcome: 'done' });
});

test('asked again it is the same decision with the same id, although the policy has changed, and one row', async () => {
  const { given, admitted, shiftTraffic, deploy, decisions } = await scene();
  await admitted(null);
  given.policy = down;
  const refused = await shiftTraffic(deploy());
  expect(refused).toMatchObject({ outcome: 'refused', because: 'policy' });
  given.policy = shippedPolicy;
  expect(await shiftTraffic(deploy())).toEqual(refused);
  expect(await decisions()).toHaveLength(1);
});

test('a change that took effect is answered again as it was, and nothing is asked anew', async () => {
  const { given, admitted, asked, shiftTraffic, change } = await scene();
  await admitted(null);
  const done = await shiftTraffic(change());
  given.policy = down;
  expect(await shiftTraffic(change())).toEqual(done);
  expect(asked).toHaveLength(1);
});

test('abuse 25: policy engine down must deny, but traffic can always be put back and a service killed', async () => {
  const { given, control, asked, admitted, shiftTraffic, deploy, change, kill } = await scene();
  await admitted(null);
  expect(await shiftTraffic(deploy())).toMatchObject({ outcome: 'done' });
  given.policy = down;
  expect(await shiftTraffic(change())).toMatchObject({ outcome: 'refused', why: 'the policy cannot be asked' });
  const before = asked.length;
  const restore = deploy({ key: 'restore', reason: 'restore', arms: [{ variant: champion, share: 1 }] });
  expect(await shiftTraffic(restore)).toMatchObject({
    outcome: 'done',
    state: { arms: [{ variant: champion, share: 1 }] },
  });
  const actor = { kind: 'person', name: 'ada' };
  expect(await kill({ key: 'kill', service: SERVICE, actor, reason: 'smoke' })).toMatchObject({ outcome: 'done' });
  expect(asked).toHaveLength(before);
  expect(await control.state(SERVICE)).toMatchObject({ latch: 'killed', champion });
});

test('what the store refuses anyway is refused by the store, and the policy is not asked', async () => {
  const { asked, shiftTraffic, change } = await scene();
  const stale = change({ token: { epoch: 7, promotion: 7 } });
  expect(await shiftTraffic(stale)).toMatchObject({ outcome: 'refused', because: 'stale epoch' });
  expect(await shiftTraffic(change({ service: 'nope', key: 'other' }))).toMatchObject({ because: 'unknown service' });
  expect(asked).toEqual([]);
});

test('a configuration that cannot be read just now is asked about again, and nothing moves meanwhile', async () => {
  const { given, control, admitted, shiftTraffic, change, decisions } = await scene();
  await admitted(null);
  const { plan } = given;
  Object.defineProperty(given, 'plan', {
    configurable: true,
    get: () => {
      throw new PawlError('Unavailable', 'the disk does not answer');
    },
  });
  await expect(shiftTraffic(change())).rejects.toMatchObject({ type: 'Unavailable', nonRetryable: false });
  expect(await control.state(SERVICE)).toMatchObject({ champion });
  expect(await decisions()).toEqual([]);
  Object.defineProperty(given, 'plan', { value: plan });
  expect(await shiftTraffic(change())).toMatchObject({ outcome: 'done' });
});
