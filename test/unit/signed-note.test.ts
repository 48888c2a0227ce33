import { generateKeyPairSync, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { openCheckpoint, readVkey, signedCheckpoint, vkeyOf } from '../../adapters/ledger/signed-note.ts';

const keyOf = (name: string) => {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { privateKey, vkey: vkeyOf(name, privateKey) };
};
const opened = (text: string) => openCheckpoint(text) ?? expect.fail('this is no checkpoint');
const vkey = (text: string) => readVkey(text) ?? expect.fail('this is no key');

const ORIGIN = 'pawl/0123456789abcdef';
const head = { origin: ORIGIN, size: 17, root: 'ab'.repeat(32) };

test("the key and signature of Go's own documentation of notes are read as Go reads them", () => {
  const key = vkey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
  const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const signed = 'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=';
  const bytes = Buffer.from(signed, 'base64');
  expect(bytes.subarray(0, 4).toString('hex')).toBe('c74f20a3');
  expect(verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4))).toBe(true);
});

test('a checkpoint is three lines, an empty one and a signature, and reads as what was signed', () => {
  const key = keyOf(ORIGIN);
  const text = signedCheckpoint(head, key);
  expect(text.split('\n').slice(0, 4)).toEqual([ORIGIN, '17', Buffer.from(head.root, 'hex').toString('base64'), '']);
  expect(text).toMatch(/\n\n— pawl\/0123456789abcdef [A-Za-z0-9+/]+=*\n$/);
  expect(opened(text)).toMatchObject(head);
  expect(opened(text).signature(vkey(key.vkey))).toBe('good');
});

test('a signature over something else, of another key, or of none is told apart', () => {
  const key = keyOf(ORIGIN);
  const text = signedCheckpoint(head, key);
  expect(opened(text.replace('\n17\n', '\n16\n')).signature(vkey(key.vkey))).toBe('false');
  expect(opened(text).signature(vkey(keyOf(ORIGIN).vkey))).toBe('of another key');
  expect(opened(text).signature(vkey(keyOf('pawl/other').vkey))).toBe('of another key');
  expect(opened(signedCheckpoint(head, null)).signature(vkey(key.vkey))).toBe('none');
});

test('a signature of somebody else beside the right one does no harm', () => {
  const [key, witness] = [keyOf(ORIGIN), keyOf('witness')];
  const line = signedCheckpoint(head, witness).split('\n').at(-2);
  const text = signedCheckpoint(head, key).replace('\n\n', `\n\n${line}\n`);
  expect(opened(text).signature(vkey(key.vkey))).toBe('good');
  expect(opened(text).signature(vkey(witness.vkey))).toBe('good');
});

test.each([
  ['nothing', ''],
  ['no empty line', `${ORIGIN}\n17\n${'A'.repeat(43)}=\n`],
  ['a size that is none', `${ORIGIN}\n017\n${'A'.repeat(43)}=\n\n`],
  ['a root that is too short', `${ORIGIN}\n17\n${'A'.repeat(40)}=\n\n`],
  ['something behind the signatures', `${ORIGIN}\n17\n${'A'.repeat(43)}=\n\nhello\n`],
])('%s is no checkpoint', (_, text) => expect(openCheckpoint(text)).toBeNull());

test('a key whose id is not its own, or of another algorithm, is no key', () => {
  const key = keyOf(ORIGIN).vkey;
  const [name, id = '', bytes = ''] = key.split('+');
  expect(readVkey(`${name}+${id === '00000000' ? '11111111' : '00000000'}+${bytes}`)).toBeNull();
  expect(readVkey(`other+${id}+${bytes}`)).toBeNull();
  expect(readVkey(key.replace('+AQ', '+Ag').replace(/\+A[R-f]/, '+Ag'))).toBeNull();
  expect(readVkey(`${key}\n`)?.vkey).toBe(key);
});
