import { expect, onTestFinished, test } from 'vitest';
import { createStartActivities } from '../../activities/start.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { signToken } from '../../adapters/keys/token.ts';
import type { StartQuestion } from '../../contracts/control.ts';
import { guardianId } from '../../contracts/ids.ts';
import type { CycleRequest } from '../../contracts/messages.ts';
import type { CyclePlan, Environment } from '../../contracts/plan.ts';
import type { Usage } from '../../contracts/stages.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import { testPlan } from '../support/plan.ts';
import { servicesOf, shippedPolicy } from '../support/policy.ts';
import { claimsOf, NOON, signer } from '../support/signers.ts';

const ada = signer('ada', 'operator');
const vic = signer('vic', 'viewer');

const scene = (environment: Environment = 'staging', limits: Partial<CyclePlan['limits']> = {}) => {
  const clock = { now: NOON };
  const control = sqliteControl(':memory:', () => clock.now);
  onTestFinished(() => control.close());
  const { mayStart } = createStartActivities({
    control,
    people: async () => [ada.person, vic.person],
    policy: shippedPolicy,
    services: servicesOf(() => testPlan({ environment })),
    now: () => clock.now,
  });
  let asked = 0;
  const ask = (request: Partial<CycleRequest> = {}, over: Partial<StartQuestion> = {}) =>
    mayStart({
      key: `start ${++asked}`,
      service: 'docs',
      request: { key: 'r', trigger: 'gate', requestedBy: { kind: 'gate', name: 'ndcg' }, reason: 'fell', ...request },
      admittedToday: 0,
      limits: { ...testPlan().limits, ...limits },
      ...over,
    });
  const ended = (usage: Usage, service = 'docs', kind = 'cycle ended') => {
    const actor = { kind: 'cycle', name: 'si' };
    const row = { service, cycle: 'si', kind, actor, reason: 'done', body: { usage } };
    return control.note({ ...row, key: `end ${++asked}` });
  };
  const decisions = () => control.ledger({ kind: 'decision' });
  return { clock, control, ask, ended, decisions };
};

const signed = (by = ada, over: Partial<TokenClaims> = {}): Partial<CycleRequest> => ({
  trigger: 'hand',
  requestedBy: { kind: 'person', name: by.person.name },
  token: signToken(
    by.privateKey,
    claimsOf(by, {
      ...{ action: 'start', workflow: guardianId('docs'), step: null, variant: null, evidence: null },
      nonce: crypto.randomUUID(),
      ...over,
    }),
  ),
});
const byName: Partial<CycleRequest> = { trigger: 'hand', requestedBy: { kind: 'person', name: 'ada' } };

test('a gate starts a cycle, and the decision names no person', async () => {
  const { ask, decisions } = scene('production');
  expect(await ask()).toMatchObject({ allowed: true, requestedBy: { kind: 'gate', name: 'ndcg' } });
  expect(await decisions()).toMatchObject([
    { actor: { kind: 'automation', name: 'ndcg' }, body: { action: 'start', allowed: true, person: null } },
  ]);
});

test('in production a start by hand is signed; elsewhere a name is enough', async () => {
  expect(await scene('staging').ask(byName)).toMatchObject({ allowed: true });
  const { ask } = scene('production');
  expect(await ask(byName)).toEqual({ allowed: false, because: expect.stringContaining('signed') });
  expect(await ask(signed())).toMatchObject({ allowed: true, requestedBy: { kind: 'person', name: 'ada' } });
});

test.each([
  ['is made up', { ...byName, token: 'a.b' }, 'not a token'],
  ['is for another service', signed(ada, { workflow: guardianId('shop') }), 'for workflow'],
  ['is for something else', signed(ada, { action: 'resume' }), 'for action'],
  ['is expired', signed(ada, { expiresAt: new Date(NOON - 1).toISOString() }), 'expired'],
  ['is of somebody else than the request names', { ...signed(), requestedBy: { kind: 'person', name: 'bob' } }, 'bob'],
  ['is of somebody who may not', signed(vic), 'admin, operator'],
])('a request whose token %s is refused, even where a name would have been enough', async (_, request, why) => {
  expect(await scene('staging').ask(request)).toEqual({ allowed: false, because: expect.stringContaining(why) });
});

test('a token starts one cycle', async () => {
  const { ask } = scene();
  const request = signed();
  expect(await ask(request)).toMatchObject({ allowed: true });
  expect(await ask(request)).toMatchObject({ allowed: false, because: expect.stringContaining('used before') });
});

test('the same question gets the first answer, and leaves one row', async () => {
  const { ask, ended, decisions } = scene('staging', { centsPerDay: 10 });
  const first = await ask({}, { key: 'the question' });
  await ended({ cents: 10 });
  expect(await ask({}, { key: 'the question' })).toEqual(first);
  expect(await decisions()).toHaveLength(1);
  expect(await ask()).toMatchObject({ allowed: false });
});

test('budgets count what the cycles and fine-tunes of today have used, of this service alone', async () => {
  const { clock, ask, ended } = scene('staging', { centsPerDay: 100, gpuMinutesPerDay: 30 });
  clock.now = NOON - 86_400_000;
  await ended({ cents: 500, gpuSeconds: 9_000 });
  clock.now = NOON;
  await ended({ cents: 500, gpuSeconds: 9_000 }, 'shop');
  await ended({ cents: 49.5 });
  await ended({ cents: 49.4, gpuSeconds: 1_700 }, 'docs', 'lora ended');
  expect(await ask()).toMatchObject({ allowed: true });
  await ended({ cents: 0.2 });
  expect(await ask()).toMatchObject({ allowed: false, because: expect.stringContaining('100 cents') });
  await ended({ gpuSeconds: 41 });
  expect(await ask()).toMatchObject({ allowed: false, because: expect.stringContaining('30 GPU minutes') });
});

test('a guardian that has lost its memory does not start its day anew', async () => {
  const { control, ask } = scene('staging', { cyclesPerDay: 2 });
  const row = {
    service: 'docs',
    cycle: 'si',
    kind: 'cycle admitted',
    actor: { kind: 'gate', name: 'x' },
    reason: '',
    body: {},
  };
  await control.note({ ...row, key: 'one' });
  expect(await ask()).toMatchObject({ allowed: true });
  await control.note({ ...row, key: 'two' });
  expect(await ask({}, { admittedToday: 0 })).toMatchObject({
    because: expect.stringContaining('2 cycles were admitted'),
  });
});

test('refused starts are told once a day for each reason, so that asking again and again fills no ledger', async () => {
  const { clock, ask, decisions } = scene('production');
  for (let n = 0; n < 20; n++) await ask({ ...byName, requestedBy: { kind: 'person', name: `nobody ${n}` } });
  expect(await decisions()).toHaveLength(1);
  clock.now += 86_400_000;
  await ask(byName);
  expect(await decisions()).toHaveLength(2);
});
