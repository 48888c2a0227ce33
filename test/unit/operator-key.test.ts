import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { createOperatorKey, readOperatorKey } from '../../adapters/keys/operator-key.ts';
import { readPeople } from '../../adapters/keys/people.ts';
import { signToken, verifyToken } from '../../adapters/keys/token.ts';
import { claimsOf, NOON, signer } from '../support/signers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('what the new key signs is accepted by whoever holds people.json', async () => {
  const home = temporaryFolder();
  const person = await createOperatorKey(home, { name: 'ada' });
  const { privateKey, kid } = await readOperatorKey(home);
  expect(person).toMatchObject({ name: 'ada', roles: ['operator', 'approver', 'admin'], kid });
  const token = signToken(privateKey, claimsOf({ person, privateKey }));
  expect(verifyToken(token, await readPeople(home), NOON)).toMatchObject({ valid: true });
});

test('the secret half is for its owner alone and does not stand in people.json', async () => {
  const home = temporaryFolder();
  await createOperatorKey(home, { name: 'ada' });
  if (process.platform !== 'win32') expect(statSync(homePaths(home).operatorKey).mode & 0o777).toBe(0o600);
  expect(Object.keys((await readPeople(home))[0] ?? {})).toEqual(['name', 'roles', 'kid', 'publicKey']);
  expect(readFileSync(homePaths(home).people, 'utf8')).not.toContain('PRIVATE');
});

test('a key that is there is never overwritten', async () => {
  const home = temporaryFolder();
  await createOperatorKey(home, { name: 'ada' });
  const [pem, people] = [readFileSync(homePaths(home).operatorKey), readFileSync(homePaths(home).people)];
  await expect(createOperatorKey(home, { name: 'eve' })).rejects.toMatchObject({ type: 'Refused' });
  expect(readFileSync(homePaths(home).operatorKey)).toEqual(pem);
  expect(readFileSync(homePaths(home).people)).toEqual(people);
});

test('a person is added to those who are there, and a file that cannot be read leaves no key behind', async () => {
  const home = temporaryFolder();
  const grace = signer('grace', 'reviewer').person;
  writeFileSync(homePaths(home).people, 'oops');
  await expect(createOperatorKey(home, { name: 'ada' })).rejects.toMatchObject({ type: 'ConfigInvalid' });
  writeFileSync(homePaths(home).people, JSON.stringify({ people: [grace] }));
  const ada = await createOperatorKey(home, { name: 'ada' });
  expect(await readPeople(home)).toEqual([grace, ada]);
});

test('a key that others can read is not used', async () => {
  const home = temporaryFolder();
  await createOperatorKey(home, { name: 'ada' });
  chmodSync(homePaths(home).operatorKey, 0o644);
  await expect(readOperatorKey(home)).rejects.toMatchObject({
    type: 'NotAllowed',
    hint: expect.stringContaining('chmod'),
  });
});

test('without a key the error names the command that makes one', async () => {
  const error = { type: 'NotFound', hint: expect.stringContaining('pawl init') };
  await expect(readOperatorKey(temporaryFolder())).rejects.toMatchObject(error);
});

test('a file of people that was edited is refused, and where there is none, nobody is known', async () => {
  const home = temporaryFolder();
  expect(await readPeople(home)).toEqual([]);
  const [ada, eve] = [signer().person, signer('eve').person];
  const odd = [
    { people: [{ ...ada, publicKey: eve.publicKey }] },
    { people: [ada, { ...ada, name: 'eve' }] },
    { people: [{ ...ada, alg: 'none' }] },
    { people: [{ ...ada, publicKey: '-----BEGIN PUBLIC KEY-----' }] },
    { people: { ada } },
    [ada],
  ];
  for (const file of odd) {
    writeFileSync(homePaths(home).people, JSON.stringify(file));
    await expect(readPeople(home)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      hint: expect.stringContaining('Git'),
    });
  }
});
