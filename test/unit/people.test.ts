import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { addPerson, readPeople, revokePerson } from '../../adapters/keys/people.ts';
import { signer } from '../support/signers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const AT = '2026-11-21T12:00:00.000Z';

test('a file from before people had several roles is still read', async () => {
  const home = temporaryFolder();
  const { roles, ...ada } = signer('ada', 'reviewer').person;
  writeFileSync(homePaths(home).people, JSON.stringify({ people: [{ ...ada, role: roles[0] }] }));
  expect(await readPeople(home)).toEqual([{ ...ada, roles: ['reviewer'] }]);
});

test('twenty people who are added at once are all there', async () => {
  const home = temporaryFolder();
  const people = Array.from({ length: 20 }, (_, n) => signer(`person-${n}`).person);
  await Promise.all(people.map((person) => addPerson(home, person)));
  expect((await readPeople(home)).map(({ name }) => name).sort()).toEqual(people.map(({ name }) => name).sort());
});

test('who is revoked stays in the file with the moment and the reason, and the name is free again', async () => {
  const home = temporaryFolder();
  const [first, second] = [signer('ada').person, signer('ada').person];
  await addPerson(home, first);
  await expect(addPerson(home, second)).rejects.toMatchObject({
    type: 'Refused',
    message: expect.stringContaining('ada'),
  });
  const revoked = { at: AT, reason: 'laptop stolen' };
  expect(await revokePerson(home, 'ada', 'laptop stolen', AT)).toEqual({ ...first, revoked });
  await addPerson(home, second);
  expect(await readPeople(home)).toEqual([{ ...first, revoked }, second]);
});

test('nobody is revoked twice, and a key that was revoked never comes back', async () => {
  const home = temporaryFolder();
  const { person } = signer('ada');
  await addPerson(home, person);
  await revokePerson(home, 'ada', 'left', AT);
  await expect(revokePerson(home, 'ada', 'again', AT)).rejects.toMatchObject({
    message: expect.stringContaining('left'),
  });
  await expect(revokePerson(home, 'eve', 'who?', AT)).rejects.toMatchObject({ type: 'NotFound' });
  await expect(addPerson(home, { ...person, name: 'grace' })).rejects.toMatchObject({
    message: expect.stringContaining('ada, revoked'),
  });
});

test.each([
  ['two people with one name', (ada: object) => [ada, { ...signer('ada').person }]],
  ['no role', (ada: object) => [{ ...ada, roles: [] }]],
  ['a role twice', (ada: object) => [{ ...ada, roles: ['operator', 'operator'] }]],
  ['a role beside the roles', (ada: object) => [{ ...ada, role: 'admin' }]],
  ['a revocation without a reason', (ada: object) => [{ ...ada, revoked: { at: AT } }]],
  ['a revocation at no moment', (ada: object) => [{ ...ada, revoked: { at: 'soon', reason: 'left' } }]],
])('a file with %s is refused, and nothing is written over it', async (_, people) => {
  const home = temporaryFolder();
  const { people: path } = homePaths(home);
  const text = JSON.stringify({ people: people(signer('ada').person) });
  writeFileSync(path, text);
  await expect(readPeople(home)).rejects.toMatchObject({ type: 'ConfigInvalid' });
  await expect(addPerson(home, signer('grace').person)).rejects.toMatchObject({ type: 'ConfigInvalid' });
  expect(readFileSync(path, 'utf8')).toBe(text);
});
