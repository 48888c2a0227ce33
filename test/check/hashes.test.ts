import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canonical, noteKey, openNote, rootOf } from '../../check/hashes.ts';
import { signedHead } from './hand-made-ledger.ts';

test('the root of any number of leaves is the one that Python finds by the definitions of RFC 6962', () => {
  const path = new URL('../fixtures/merkle/vectors.json', import.meta.url);
  const { leaves, roots }: { leaves: string[]; roots: string[] } = JSON.parse(readFileSync(path, 'utf8'));
  expect(roots.length).toBeGreaterThan(8);
  expect(roots.map((_, size) => rootOf(leaves.slice(0, size)))).toEqual(roots);
});

test('canonical JSON sorts keys by their code units, numbers among them, and leaves no white space', () => {
  const value = { b: [1, { z: null, a: 'ü' }], '10': 1e21, '9': -0, a: true, '\ud83d\ude00': 0, '\ufb33': 0 };
  expect(canonical(value)).toBe('{"10":1e+21,"9":0,"a":true,"b":[1,{"a":"ü","z":null}],"😀":0,"\ufb33":0}');
});

test('a key whose id is not its own, or of another kind, is no key', () => {
  const line = signedHead([]).ledgerKey ?? '';
  const [name, id, key] = line.split('+');
  expect(noteKey(line)).toMatchObject({ name, id });
  expect(noteKey(`${name}+00000000+${key}`)).toBeNull();
  expect(noteKey(`another+${id}+${key}`)).toBeNull();
  expect(noteKey(`${name}+${id}+${Buffer.alloc(33, 2).toString('base64')}`)).toBeNull();
  expect(noteKey('')).toBeNull();
});

test('a text without a signature is no note', () => {
  const key = { name: 'x', id: '00000000', publicKey: new Uint8Array(32) };
  expect(openNote('x\n1\nAAAA\n', key)).toBe('it is no signed note');
  expect(openNote('x\n1\nAAAA\n\n', key)).toBe('it is not signed by x+00000000');
});
