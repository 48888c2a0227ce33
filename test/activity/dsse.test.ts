/** The envelope, checked by programs that share nothing with the one that wrote it. */
import { spawnSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openEnvelope, preAuthentication, signedEnvelope, signerOf } from '../../adapters/evidence/dsse.ts';
import { evidenceFolder } from '../../adapters/evidence/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import { readVkey, vkeyOf } from '../../adapters/ledger/signed-note.ts';
import { CYCLE, cycleEvidence } from '../support/cycle-evidence.ts';
import { SERVICE } from '../support/search-service.ts';
import { signer } from '../support/signers.ts';

const EXAMPLE = fileURLToPath(new URL('../../docs/examples/verify-evidence.py', import.meta.url));
const ran = (command: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const hasPython = ran('python3', '-c', 'import cryptography').status === 0;
const hasOpenssl = /OpenSSL (1\.1\.1|[3-9])/.test(ran('openssl', 'version').stdout ?? '');

const sealedFolder = async () => {
  const { service, order, seal } = await cycleEvidence();
  await seal(order);
  const home = homePaths(service.config.folder);
  const vkey = (await service.deps.control.ledgerKey()) ?? '';
  writeFileSync(home.ledgerKey, `${vkey}\n`);
  return { folder: evidenceFolder(home.evidence, SERVICE, CYCLE), key: home.ledgerKey, vkey };
};

test('what is signed is the pre-authentication encoding of the DSSE specification', () => {
  const encoded = preAuthentication('http://example.com/HelloWorld', Buffer.from('hello world'));
  expect(encoded.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
});

test('a signature holds for its type, its payload and its key alone', async () => {
  const [mine, other] = [signer(), signer()].map(({ privateKey }) => readVkey(vkeyOf('x', privateKey)));
  const { privateKey } = signer();
  const key = readVkey(vkeyOf('x', privateKey));
  const by = { name: 'x', keyId: 'x', sign: async (bytes: Uint8Array) => sign(null, bytes, privateKey) };
  const envelope = await signedEnvelope('a/type', Buffer.from('payload'), by);
  if (!mine || !other || !key) throw new Error('no keys');
  expect(signerOf(openEnvelope(envelope), [mine, key])).toBe(key);
  expect(signerOf(openEnvelope(envelope), [mine, other])).toBeNull();
  expect(signerOf(openEnvelope({ ...envelope, payloadType: 'another/type' }), [key])).toBeNull();
  expect(signerOf(openEnvelope({ ...envelope, payload: 'cGF5bG9hZAo=' }), [key])).toBeNull();
  expect(() => openEnvelope({ ...envelope, signatures: [] })).toThrow(/no DSSE envelope/);
});

test.skipIf(!hasPython)('the program of the guide agrees: Python with `cryptography`', async () => {
  const { folder, key } = await sealedFolder();
  const good = ran('python3', EXAMPLE, folder, key);
  expect(good).toMatchObject({ status: 0, stdout: expect.stringMatching(/docs: promoted, \d+ files, complete: True/) });
  appendFileSync(join(folder, 'evaluation.json'), ' ');
  expect(ran('python3', EXAMPLE, folder, key)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('changed, missing or added: evaluation.json'),
  });
  writeFileSync(key, `${vkeyOf('x', signer().privateKey)}\n`);
  expect(ran('python3', EXAMPLE, folder, key)).toMatchObject({ stderr: expect.stringContaining('InvalidSignature') });
});

test.skipIf(!hasOpenssl)('OpenSSL agrees on the signature', async () => {
  const { folder, vkey } = await sealedFolder();
  const { payloadType, payload, signatures } = JSON.parse(readFileSync(join(folder, 'statement.json'), 'utf8'));
  const bytes = Buffer.from(payload, 'base64');
  const at = (name: string) => join(folder, '..', name);
  const prefix = `DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} `;
  writeFileSync(at('signed'), Buffer.concat([Buffer.from(prefix), bytes]));
  writeFileSync(at('signature'), Buffer.from(signatures[0].sig, 'base64'));
  const pem = readVkey(vkey)?.publicKey.export({ type: 'spki', format: 'pem' });
  writeFileSync(at('key.pem'), String(pem));
  const verify = () =>
    ran(
      'openssl',
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      at('key.pem'),
      '-rawin',
      '-in',
      at('signed'),
      '-sigfile',
      at('signature'),
    );
  expect(verify()).toMatchObject({ status: 0, stdout: expect.stringContaining('Verified') });
  appendFileSync(at('signed'), ' ');
  expect(verify().status).not.toBe(0);
});
