import { expect, onTestFinished, test } from 'vitest';
import { createTokenActivities } from '../../activities/tokens.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import type { People } from '../../adapters/keys/people.ts';
import { signToken } from '../../adapters/keys/token.ts';
import type { AskedPolicy, PolicyEngine } from '../../adapters/policy/port.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { Environment } from '../../contracts/plan.ts';
import type { TokenUse } from '../../contracts/token.ts';
import { shippedPolicy } from '../support/policy.ts';
import { claimsOf, NOON, signer } from '../support/signers.ts';

const ada = signer('ada', 'approver');
const { action, workflow, step, variant, evidence } = claimsOf(ada);
const about = {
  service: 'docs',
  cycle: 'si_2026_11_21_001',
  requestedBy: { kind: 'gate', name: 'ndcg' },
  approvedBy: [],
} as const;
const use: TokenUse = {
  token: signToken(ada.privateKey, claimsOf(ada)),
  action,
  workflow,
  step,
  variant,
  evidence,
  key: 'first use',
  about,
};

interface Scene {
  people: () => Promise<People>;
  now: () => number;
  policy: PolicyEngine;
  environment: Environment;
}
const scene = (over: Partial<Scene> = {}) => {
  const control = sqliteControl(':memory:');
  onTestFinished(() => control.close());
  const given: Scene = {
    people: async () => [ada.person],
    now: () => NOON,
    policy: shippedPolicy,
    environment: 'staging',
    ...over,
  };
  const config = async () => ({ environment: given.environment });
  const deps = {
    control,
    people: () => given.people(),
    now: () => given.now(),
    policy: { decide: (question: AskedPolicy) => given.policy.decide(question) },
    services: { config, all: async () => [await config()] },
  };
  const decisions = () => control.ledger({ kind: 'decision' });
  return { given, decisions, ...createTokenActivities(deps) };
};
const activities = (people: () => Promise<People> = async () => [ada.person]) => scene({ people });

test('a token is good for the use that it was signed for, and for a repetition of that use', async () => {
  const { verifyToken } = activities();
  expect(await verifyToken(use)).toMatchObject({ valid: true, claims: claimsOf(ada) });
  expect(await verifyToken(use)).toMatchObject({ valid: true });
});

test('any other use of a token is refused once it was used', async () => {
  const { verifyToken } = activities();
  await verifyToken(use);
  expect(await verifyToken({ ...use, key: 'second use' })).toEqual({
    valid: false,
    because: expect.stringContaining('used before'),
  });
});

test.each([
  ['action', { action: 'skip' }],
  ['workflow', { workflow: 'pawl:docs' }],
  ['step', { step: 'promote' }],
  ['step', { step: null }],
  ['variant', { variant: 'c3' }],
  ['evidence', { evidence: 'f4' }],
] as const)('a token that is bound to another %s is refused, and is not used up by it', async (field, other) => {
  const { verifyToken } = activities();
  expect(await verifyToken({ ...use, ...other, key: 'wrong' })).toEqual({
    valid: false,
    because: expect.stringContaining(`for ${field}`),
  });
  expect(await verifyToken(use)).toMatchObject({ valid: true });
});

test('a token that is not bound to a variant does not pass for one that is', async () => {
  const { verifyToken } = activities();
  const loose = signToken(ada.privateKey, claimsOf(ada, { variant: null }));
  expect(await verifyToken({ ...use, token: loose })).toMatchObject({ valid: false });
  expect(await verifyToken({ ...use, token: loose, variant: null, key: 'loose use' })).toMatchObject({ valid: true });
});

test('a forged token uses nothing up', async () => {
  const { verifyToken } = activities();
  const forged = signToken(signer('eve').privateKey, claimsOf(ada));
  expect(await verifyToken({ ...use, token: forged, key: 'forger' })).toMatchObject({ valid: false });
  expect(await verifyToken(use)).toMatchObject({ valid: true });
});

test('a person who is taken out of the file can sign nothing from then on', async () => {
  let people: People = [ada.person];
  const { verifyToken } = activities(async () => people);
  people = [];
  expect(await verifyToken(use)).toMatchObject({ valid: false, because: expect.stringContaining('people.json') });
});

test('a file of people that cannot be read is a failure that says so, not a refusal of the token', async () => {
  const { verifyToken } = activities(async () => {
    throw new PawlError('ConfigInvalid', 'people.json is not JSON');
  });
  await expect(verifyToken(use)).rejects.toMatchObject({ type: 'ConfigInvalid', nonRetryable: true });
});

test('every decision about a signed token is a row: who, what, on which input, by which policies, and why', async () => {
  const { verifyToken, decisions } = scene();
  await verifyToken(use);
  const [row, ...others] = await decisions();
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    service: 'docs',
    cycle: about.cycle,
    actor: { kind: 'person', name: 'ada' },
    reason: 'looks better',
    body: {
      ...{ key: use.key, action, allowed: true, person: 'ada', role: 'approver', kid: ada.person.kid },
      ...{ workflow, step, variant, evidence, token: use.token },
      policy: { allowed: true, policies: ['role.approver'], bundle: expect.stringMatching(/^[0-9a-f]{64}$/) },
      input: {
        principal: { kind: 'person', name: 'ada', roles: ['approver'] },
        environment: 'staging',
        facts: { requestedBy: about.requestedBy, approvedBy: [] },
      },
    },
  });
});

test('a repeated use gets its first answer, although token, person and policy have changed since', async () => {
  const { given, verifyToken, decisions } = scene();
  const first = await verifyToken(use);
  expect(first).toMatchObject({ valid: true });
  given.now = () => NOON + 365 * 86_400_000;
  given.people = async () => [];
  given.policy = { decide: async ({ id }) => ({ id, allowed: false, policies: [], because: 'no', bundle: '' }) };
  expect(await verifyToken(use)).toEqual(first);

  const again = {
    ...use,
    token: signToken(ada.privateKey, claimsOf(ada, { nonce: 'another-nonce-00' })),
    key: 'again',
  };
  given.now = () => NOON;
  given.people = async () => [ada.person];
  const refused = await verifyToken(again);
  expect(refused).toMatchObject({ valid: false, because: 'no' });
  given.policy = shippedPolicy;
  expect(await verifyToken(again)).toEqual(refused);
  expect(await decisions()).toHaveLength(2);
});

test('of two uses of one token at the same time exactly one wins', async () => {
  const { verifyToken, decisions } = scene();
  const keys = ['a', 'b', 'c', 'd'];
  const answers = await Promise.all(keys.map((key) => verifyToken({ ...use, key })));
  expect(answers.filter(({ valid }) => valid)).toHaveLength(1);
  expect((await decisions()).filter(({ body }) => body.allowed)).toHaveLength(1);
});

test.each([
  ['is expired', claimsOf(ada, { expiresAt: new Date(NOON - 1).toISOString() }), {}, 'expired'],
  ['is for another step', claimsOf(ada), { step: 'promote' }, 'for step'],
  ['is said to be about no service', claimsOf(ada), { about: undefined }, 'not known which service'],
] as const)(
  'a signed token that %s leaves a row with the reason, and not the token itself',
  async (_, claims, other, why) => {
    const { verifyToken, decisions } = scene();
    const token = signToken(ada.privateKey, claims);
    await verifyToken({ ...use, token, ...other } as TokenUse);
    const rows = await decisions();
    expect(rows).toHaveLength(1);
    expect(rows[0]?.body).toMatchObject({ allowed: false, person: 'ada', because: expect.stringContaining(why) });
    expect(JSON.stringify(rows)).not.toContain(token);
  },
);

test('what anybody could have made up leaves no row, however much of it comes', async () => {
  const { verifyToken, decisions } = scene();
  const eve = signer('eve');
  const forged = signToken(eve.privateKey, claimsOf(ada));
  const foreign = signToken(eve.privateKey, claimsOf(eve));
  for (const [n, token] of ['', 'garbage', 'a.b', forged, foreign, use.token.slice(0, -2)].entries()) {
    expect(await verifyToken({ ...use, token, key: `${n}` })).toMatchObject({ valid: false });
  }
  expect(await decisions()).toEqual([]);
});

test('a captured token that is sent again and again is told once', async () => {
  const { verifyToken, decisions } = scene();
  await verifyToken(use);
  for (let n = 0; n < 20; n++) {
    expect(await verifyToken({ ...use, key: `again ${n}` })).toMatchObject({
      because: expect.stringContaining('used'),
    });
  }
  expect(await decisions()).toHaveLength(2);
});

test('the environment is that of the configuration, and one that cannot be read permits nothing', async () => {
  const { given, verifyToken } = scene();
  given.environment = 'nowhere' as Environment;
  expect(await verifyToken(use)).toMatchObject({
    valid: false,
    because: expect.stringContaining('environment'),
    decision: { allowed: false, policies: ['environment.known'] },
  });
});
