/** Against a real ssh-agent, as it stands on most machines. */
import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { agentKeyNamed, agentKeys, keyInLine, signByAgent } from '../../adapters/keys/agent.ts';
import { addPerson, kidOf } from '../../adapters/keys/people.ts';
import { chooseSigner, signAs } from '../../adapters/keys/signer.ts';
import { verifyToken } from '../../adapters/keys/token.ts';
import { claimsOf, NOON, signer } from '../support/signers.ts';
import { sshAgent, startAgent } from '../support/ssh-agent.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const withAgent = test.skipIf(sshAgent === null);

withAgent('a token that a key of the ssh-agent signed verifies like any other', async () => {
  const { socket, addKey } = await startAgent();
  const { publicKey } = addKey('ada@laptop');
  const home = temporaryFolder();
  const kid = kidOf(publicKey);
  const person = { name: 'ada', roles: ['approver'], kid, publicKey };
  await addPerson(home, person);
  const sources = { home, agentSocket: socket, passphrase: async () => 'nobody asks' };
  const chosen = await chooseSigner(sources, {});
  expect(chosen).toMatchObject({ person, role: 'approver', place: { kind: 'agent', key: { comment: 'ada@laptop' } } });
  const { v, kid: _, person: name, role, ...claims } = claimsOf({ ...signer(), person });
  const token = await signAs(chosen, claims, sources);
  expect(verifyToken(token, [person], NOON)).toEqual({ valid: true, claims: claimsOf({ ...signer(), person }) });
});

withAgent('among several keys the one is taken that was named by its comment or fingerprint', async () => {
  const { socket, addKey } = await startAgent();
  const [first, second] = [addKey('first'), addKey('second')];
  addKey('an RSA key', 'rsa');
  const keys = await agentKeys(socket);
  expect(keys.map(({ publicKey }) => publicKey)).toEqual([first.publicKey, second.publicKey]);
  expect(agentKeyNamed(keys, 'second').publicKey).toBe(second.publicKey);
  expect(agentKeyNamed(keys, first.fingerprint).publicKey).toBe(first.publicKey);
  expect(() => agentKeyNamed(keys, null)).toThrow('several');
  expect(() => agentKeyNamed(keys, 'third')).toThrow('no ssh-ed25519 key third');
});

withAgent('a key that the agent does not hold signs nothing', async () => {
  const { socket } = await startAgent();
  expect(await agentKeys(socket)).toEqual([]);
  const { publicKey } = signer().person;
  await expect(signByAgent(socket, publicKey, Buffer.from('x'))).rejects.toMatchObject({ type: 'Unavailable' });
});

withAgent('a large payload is signed whole', async () => {
  const { socket, addKey } = await startAgent();
  const { publicKey } = addKey('ada');
  const payload = Buffer.alloc(100_000, 'a');
  const signature = await signByAgent(socket, publicKey, payload);
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: publicKey } });
  expect(verify(null, payload, key, signature)).toBe(true);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a length that is far too long', Buffer.from('ffffffff0c', 'hex')],
  ['a list that breaks off', Buffer.from('000000050c000000ff', 'hex')],
  ['another answer', Buffer.from('0000000106', 'hex')],
])('an agent that answers with %s is an error that says so', async (_, answer) => {
  const socket = join(temporaryFolder(), 'agent');
  const server = createServer((connection) => connection.end(answer)).listen(socket);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  await expect(agentKeys(socket)).rejects.toMatchObject({
    type: 'Unavailable',
    message: expect.stringContaining('ssh-agent'),
  });
});

test('an answer that comes in pieces is put together', async () => {
  const field = (content: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, content.length]), content]);
  const { publicKey } = signer().person;
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.from(publicKey, 'base64url'))]);
  const answer = field(Buffer.concat([Buffer.from([12, 0, 0, 0, 1]), field(blob), field(Buffer.from('ada'))]));
  const socket = join(temporaryFolder(), 'agent');
  const server = createServer(async (connection) => {
    for (const at of answer.keys()) {
      await new Promise((written) => connection.write(answer.subarray(at, at + 1), written));
      await new Promise(setImmediate);
    }
  }).listen(socket);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  expect(await agentKeys(socket)).toMatchObject([{ publicKey, comment: 'ada' }]);
});

test('an agent that is not there is an error that names its socket', async () => {
  await expect(agentKeys('/nowhere/agent')).rejects.toMatchObject({
    message: expect.stringContaining('/nowhere/agent'),
  });
});

test('a public key is read from the line of a .pub file, and from nothing else', () => {
  const { publicKey } = signer().person;
  const blob = Buffer.concat([
    Buffer.from('0000000b7373682d6564323535313900000020', 'hex'),
    Buffer.from(publicKey, 'base64url'),
  ]);
  expect(keyInLine(`ssh-ed25519 ${blob.toString('base64')} ada@laptop\n`)).toBe(publicKey);
  expect(keyInLine(`ssh-rsa ${blob.toString('base64')}`)).toBeNull();
  expect(keyInLine(`ssh-ed25519 ${blob.subarray(1).toString('base64')}`)).toBeNull();
  expect(keyInLine(publicKey)).toBeNull();
});
