import { createPrivateKey } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { keyPathOf, listKeys, makeKeyPair, openKey, writeKey } from '../../adapters/keys/key-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PASSPHRASE = 'four words or so';
const answer = (passphrase: string) => async () => passphrase;
const never = async (): Promise<string> => {
  throw new Error('nobody was to be asked');
};

test('a key under a passphrase is opened by it alone', async () => {
  const path = keyPathOf(temporaryFolder(), 'ada');
  const pair = makeKeyPair();
  await writeKey(path, pair, PASSPHRASE);
  expect((await openKey(path, answer(PASSPHRASE))).publicKey).toBe(pair.publicKey);
  const wrong = { type: 'NotAllowed', message: `The passphrase does not open ${path}.` };
  await expect(openKey(path, answer('four words or see'))).rejects.toMatchObject(wrong);
  await expect(openKey(path, answer(''))).rejects.toMatchObject(wrong);
});

test('what protects it is standard PKCS#8, with enough rounds that guessing is slow', async () => {
  const path = keyPathOf(temporaryFolder(), 'ada');
  await writeKey(path, makeKeyPair(), PASSPHRASE);
  const pem = readFileSync(path, 'utf8');
  expect(createPrivateKey({ key: pem, passphrase: PASSPHRASE }).asymmetricKeyType).toBe('ed25519');
  const body = Buffer.from(/-----\n([^-]+)\n-----END/.exec(pem)?.[1] ?? '', 'base64');
  expect(body.includes(Buffer.from('02030927c0', 'hex'))).toBe(true); // INTEGER 600000
});

test('a protected key says whose it is without its passphrase, and nobody is asked for one that has none', async () => {
  const home = temporaryFolder();
  const [ada, grace] = [makeKeyPair(), makeKeyPair()];
  await writeKey(keyPathOf(home, 'ada'), ada, PASSPHRASE);
  await writeKey(keyPathOf(home, 'grace'), grace, null);
  expect(await listKeys(home)).toEqual([
    { path: keyPathOf(home, 'ada'), publicKey: ada.publicKey, isProtected: true },
    { path: keyPathOf(home, 'grace'), publicKey: grace.publicKey, isProtected: false },
  ]);
  expect((await openKey(keyPathOf(home, 'grace'), never)).publicKey).toBe(grace.publicKey);
});

test('a key that was written without its public half, as by openssl, still opens', async () => {
  const path = keyPathOf(temporaryFolder(), 'ada');
  const { privateKey, publicKey } = makeKeyPair();
  mkdirSync(dirname(path), { recursive: true });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: PASSPHRASE });
  writeFileSync(path, pem, { mode: 0o600 });
  expect((await openKey(path, answer(PASSPHRASE))).publicKey).toBe(publicKey);
});

test('keys are for their owner alone: the folder 0700, the files 0600, and one that others can read is not used', async () => {
  const home = temporaryFolder();
  const path = keyPathOf(home, 'ada');
  await writeKey(path, makeKeyPair(), PASSPHRASE);
  expect(statSync(homePaths(home).keys).mode & 0o777).toBe(0o700);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  chmodSync(path, 0o640);
  await expect(listKeys(home)).rejects.toMatchObject({ type: 'NotAllowed' });
  await expect(openKey(path, answer(PASSPHRASE))).rejects.toMatchObject({ hint: expect.stringContaining('chmod 600') });
});

test("the ledger's key is nobody's", async () => {
  const home = temporaryFolder();
  mkdirSync(homePaths(home).keys, { recursive: true });
  writeFileSync(join(homePaths(home).keys, 'ledger.pem'), 'whatever it holds', { mode: 0o600 });
  expect(await listKeys(home)).toEqual([]);
});

test.each(['../operator', 'a/b', '', '.pem', 'ledger', 'x'.repeat(65), 'a\nb'])('no key can be named %j', (name) => {
  expect(() => keyPathOf(temporaryFolder(), name)).toThrow('cannot be named');
});

test('abuse 64: neither a passphrase nor anything of a private key is part of an error', async () => {
  const home = temporaryFolder();
  const path = keyPathOf(home, 'ada');
  const pair = makeKeyPair();
  await writeKey(path, pair, PASSPHRASE);
  const secrets = [PASSPHRASE, 'a wrong passphrase', 'short', ...readFileSync(path, 'utf8').split('\n').slice(2, -2)];
  const broken = keyPathOf(home, 'broken');
  writeFileSync(broken, String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })).replace('MC4', 'MC5'), {
    mode: 0o600,
  });
  secrets.push(readFileSync(broken, 'utf8').split('\n')[1] ?? '');
  const errors = await Promise.all(
    [
      openKey(path, answer('a wrong passphrase')),
      openKey(broken, never),
      writeKey(path, pair, PASSPHRASE),
      writeKey(keyPathOf(home, 'bob'), pair, 'short'),
      listKeys(home),
    ].map((failing) =>
      failing.then(
        () => 'it did not fail',
        (error: unknown) => inspect(error, { depth: 10 }),
      ),
    ),
  );
  expect(errors).toHaveLength(5);
  for (const error of errors) {
    expect(error).toContain('PawlError');
    for (const secret of secrets) expect(error).not.toContain(secret);
  }
});
