import { expect, onTestFinished, test } from 'vitest';
import { createTokenActivities } from '../../activities/tokens.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import type { People } from '../../adapters/keys/people.ts';
import { signToken } from '../../adapters/keys/token.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { TokenUse } from '../../contracts/token.ts';
import { claimsOf, NOON, signer } from '../support/signers.ts';

const ada = signer();
const { action, workflow, step, variant, evidence } = claimsOf(ada);
const use: TokenUse = {
  token: signToken(ada.privateKey, claimsOf(ada)),
  action,
  workflow,
  step,
  variant,
  evidence,
  key: 'first use',
};

const activities = (people: () => Promise<People> = async () => [ada.person]) => {
  const control = sqliteControl(':memory:');
  onTestFinished(() => control.close());
  return createTokenActivities({ people, control, now: () => NOON });
};

test('a token is good for the use that it was signed for, and for a repetition of that use', async () => {
  const { verifyToken } = activities();
  expect(await verifyToken(use)).toEqual({ valid: true, claims: claimsOf(ada) });
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
  expect(await verifyToken({ ...use, token: loose, variant: null })).toMatchObject({ valid: true });
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
