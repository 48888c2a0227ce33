import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { ledgerKeyFor, ledgerKeyPath, makeLedgerKey } from '../../adapters/keys/ledger-key.ts';
import { pinLedgerKey } from '../../adapters/ledger/pinned-key.ts';
import { vkeyOf } from '../../adapters/ledger/signed-note.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const database = () => join(temporaryFolder(), '.pawl', 'control.db');
const nameOf = (key: ReturnType<typeof makeLedgerKey>): string =>
  vkeyOf('pawl/x', key ?? expect.fail('there is no key'));

test('is made once, beside the database, for nobody else to read', () => {
  const path = database();
  const key = nameOf(ledgerKeyFor(path).read());
  expect(nameOf(ledgerKeyFor(path).read())).toBe(key);
  expect(readdirSync(dirname(ledgerKeyPath(path)))).toEqual(['ledger.pem']);
  expect(statSync(ledgerKeyPath(path)).mode & 0o077).toBe(0);
});

test('is never overwritten: who comes second takes the key of the first', () => {
  const path = ledgerKeyPath(database());
  const first = nameOf(makeLedgerKey(path));
  expect(nameOf(makeLedgerKey(path))).toBe(first);
  writeFileSync(path, 'damaged');
  expect(makeLedgerKey(path)).toBeNull();
  expect(readFileSync(path, 'utf8')).toBe('damaged');
});

test('is none where it can be neither read nor made, and nothing is left lying about', () => {
  const path = database();
  mkdirSync(ledgerKeyPath(path), { recursive: true }); // A folder where the file should be.
  expect(ledgerKeyFor(path).read()).toBeNull();
  expect(readdirSync(dirname(ledgerKeyPath(path)))).toEqual(['ledger.pem']);
});

test('of a store in memory ends with it', () => {
  const key = ledgerKeyFor(':memory:');
  expect(nameOf(key.read())).toBe(nameOf(key.read()));
  expect(nameOf(ledgerKeyFor(':memory:').read())).not.toBe(nameOf(key.read()));
});

test('its public half is pinned once; by several at once too, and never anew', async () => {
  const home = temporaryFolder();
  const [mine, other] = [nameOf(ledgerKeyFor(':memory:').read()), nameOf(ledgerKeyFor(':memory:').read())];
  const pinned = await Promise.all(Array.from({ length: 8 }, () => pinLedgerKey(home, mine)));
  expect(pinned.toSorted()).toEqual(['kept', 'kept', 'kept', 'kept', 'kept', 'kept', 'kept', 'made']);
  await expect(pinLedgerKey(home, other)).rejects.toMatchObject({ type: 'Refused', hint: expect.any(String) });
  expect(readFileSync(homePaths(home).ledgerKey, 'utf8')).toBe(`${mine}\n`);
  expect(readdirSync(home)).toEqual(['ledger.vkey']);
  writeFileSync(homePaths(home).ledgerKey, 'nonsense');
  await expect(pinLedgerKey(home, mine)).rejects.toMatchObject({ type: 'ConfigInvalid' });
});
