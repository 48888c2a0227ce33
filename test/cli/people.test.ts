/** Keys and people, as they are handled at a shell, in a home without Temporal. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { openKey } from '../../adapters/keys/key-file.ts';
import { readPeople } from '../../adapters/keys/people.ts';
import { verifyToken } from '../../adapters/keys/token.ts';
import { askHidden } from '../../cli/passphrase.ts';
import { sshAgent, startAgent } from '../support/ssh-agent.ts';
import { errorOf, folderWithData, INIT, pawlIn, type Ran } from './cli-world.ts';

const PASSPHRASE = 'correct horse battery';

let home: string;
beforeAll(async () => {
  home = await folderWithData();
  const { code, stderr } = await pawlIn(home, INIT);
  if (code !== 0) throw new Error(stderr);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Listed {
  name: string;
  roles: string[];
  kid: string;
  place: { where: string; isProtected: boolean } | null;
  revoked?: { reason: string };
}
const pawl = (args: readonly string[], variables = {}): Promise<Ran> => pawlIn(home, args, variables);
const people = async (): Promise<Listed[]> => (await pawl(['people', 'ls', '--json'])).json as Listed[];
const personNamed = async (name: string) => (await people()).find((one) => one.name === name);
const rowsOf = async (kind: string) => {
  const control = sqliteControl(homePaths(home).control);
  try {
    return (await control.ledger({})).filter((row) => row.kind === kind);
  } finally {
    control.close();
  }
};
const keyOf = (name: string): string => join(homePaths(home).keys, `${name}.pem`);

describe('adding', () => {
  test('makes a key under the passphrase of a file, with all roles, and a row in the ledger', async () => {
    writeFileSync(join(home, 'passphrase'), `${PASSPHRASE}\n`);
    const args = [
      'people',
      'add',
      'grace',
      '--role',
      'approver',
      '--role',
      'viewer',
      '--passphrase-file',
      'passphrase',
    ];
    expect(await pawl(args)).toMatchObject({ code: 0, stdout: expect.stringContaining('grace (approver, viewer)') });
    const grace = await personNamed('grace');
    expect(grace).toMatchObject({ roles: ['approver', 'viewer'], place: { where: keyOf('grace'), isProtected: true } });
    expect(await openKey(keyOf('grace'), async () => PASSPHRASE)).toBeDefined();
    expect(await rowsOf('person added')).toEqual([
      expect.objectContaining({ body: expect.objectContaining({ name: 'grace', kid: grace?.kid }) }),
    ]);
  });

  test('off a terminal a key without a passphrase must be said', async () => {
    const args = ['people', 'add', 'bare', '--role', 'viewer', '--json'];
    expect(errorOf(await pawl(args))).toMatchObject({
      type: 'Usage',
      hint: expect.stringContaining('--no-passphrase'),
    });
    expect(existsSync(keyOf('bare'))).toBe(false);
    expect((await pawl([...args, '--no-passphrase'])).code).toBe(0);
    expect(await personNamed('bare')).toMatchObject({ place: { isProtected: false } });
  });

  test('a passphrase that is too short leaves nothing behind', async () => {
    const ran = await pawl(['people', 'add', 'brief', '--role', 'viewer', '--json'], { PAWL_PASSPHRASE: 'short' });
    expect(errorOf(ran)).toMatchObject({ type: 'Usage', message: expect.stringContaining('at least 8') });
    expect(existsSync(keyOf('brief'))).toBe(false);
    expect(await personNamed('brief')).toBeUndefined();
  });

  test('takes the public key that a colleague made with `people key`, whose private half stays there', async () => {
    const made = await pawl(['people', 'key', 'joan', '--json'], { PAWL_PASSPHRASE: PASSPHRASE });
    const { publicKey, kid } = made.json as { publicKey: string; kid: string };
    expect(await personNamed('joan')).toBeUndefined();
    expect((await pawl(['people', 'add', 'joan', '--role', 'approver', '--public-key', publicKey])).code).toBe(0);
    expect(await personNamed('joan')).toMatchObject({ kid, place: { where: keyOf('joan') } });
  });

  test('two who are added at once are both there', async () => {
    const both = ['one', 'two'].map((name) => pawl(['people', 'add', name, '--role', 'viewer', '--no-passphrase']));
    expect((await Promise.all(both)).map(({ code }) => code)).toEqual([0, 0]);
    expect((await people()).map(({ name }) => name)).toEqual(expect.arrayContaining(['one', 'two']));
  });

  test.each([
    [['grace', '--role', 'viewer', '--no-passphrase'], 'Refused'],
    [['../eve', '--role', 'viewer', '--no-passphrase'], 'Usage'],
    [['ledger', '--role', 'viewer', '--no-passphrase'], 'Usage'],
    [['eve', '--no-passphrase'], 'Usage'],
    [['eve', '--role', 'Viewer', '--no-passphrase'], 'Usage'],
    [['eve', '--role', 'viewer', '--public-key', 'ssh-rsa AAAA'], 'Usage'],
    [['eve', '--role', 'viewer', '--agent'], 'NotFound'],
  ])('people add %j is refused (%s), and changes nothing', async (args, type) => {
    const before = readFileSync(homePaths(home).people, 'utf8');
    expect(errorOf(await pawl(['people', 'add', ...args, '--json']))).toMatchObject({ type });
    expect(readFileSync(homePaths(home).people, 'utf8')).toBe(before);
    expect(existsSync(keyOf('eve'))).toBe(false);
  });

  test('is for those whom the policy lets, once there is anybody', async () => {
    await pawl(['people', 'add', 'ian', '--role', 'approver', '--no-passphrase']);
    const { code, stderr } = await pawl(['people', 'add', 'eve', '--role', 'admin', '--no-passphrase', '--as', 'ian']);
    expect(code).toBe(6);
    expect(stderr).toContain('The policy says no to people');
    expect(await personNamed('eve')).toBeUndefined();
  });
});

describe('revoking', () => {
  test('leaves the entry with the reason, and a row in the ledger', async () => {
    expect((await pawl(['people', 'revoke', 'one', '--reason', 'left the team'])).code).toBe(0);
    expect(await personNamed('one')).toMatchObject({ revoked: { reason: 'left the team' } });
    expect(await rowsOf('person revoked')).toEqual([expect.objectContaining({ reason: 'left the team' })]);
  });

  test('works where the store cannot be read, and says that the ledger has no row of it', async () => {
    const { control } = homePaths(home);
    const whole = readFileSync(control);
    writeFileSync(control, 'no database');
    for (const beside of ['-wal', '-shm']) rmSync(control + beside, { force: true });
    const ran = await pawl(['people', 'revoke', 'two', '--reason', 'laptop stolen']);
    writeFileSync(control, whole);
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('The ledger has no row of it') });
    expect(await personNamed('two')).toMatchObject({ revoked: { reason: 'laptop stolen' } });
  });
});

describe('signing', () => {
  /** Reaches for the key, and then for a Temporal that is not there. */
  const rearm = (args: readonly string[], variables = {}) =>
    pawl(['rearm', 'docs', '--reason', 'test', '--print', '--json', ...args], variables);
  const tokenIn = ({ json }: Ran) => (json as { input: { token: string } }).input.token;
  const claimsIn = (ran: Ran) => JSON.parse(Buffer.from(tokenIn(ran).split('.')[0] ?? '', 'base64url').toString());

  test('among several keys it is the operator who signs, in the first role, unless --as and --role say otherwise', async () => {
    expect(claimsIn(await rearm([]))).toMatchObject({ person: 'ada', role: 'operator' });
    expect(claimsIn(await rearm(['--role', 'admin']))).toMatchObject({ person: 'ada', role: 'admin' });
    expect(claimsIn(await rearm(['--as', 'bare']))).toMatchObject({ person: 'bare', role: 'viewer' });
    expect(claimsIn(await rearm([], { PAWL_PERSON: 'bare' }))).toMatchObject({ person: 'bare' });
  });

  test('a protected key takes its passphrase from a file or the environment', async () => {
    const variables = { PAWL_PASSPHRASE: PASSPHRASE };
    expect(claimsIn(await rearm(['--as', 'grace'], variables))).toMatchObject({ person: 'grace' });
    expect(claimsIn(await rearm(['--as', 'grace', '--passphrase-file', 'passphrase']))).toMatchObject({
      person: 'grace',
    });
  });

  test.skipIf(sshAgent === null)('a key of the ssh-agent is added by its comment, and signs', async () => {
    const { socket, addKey } = await startAgent();
    addKey('another key');
    const { publicKey } = addKey('ann@laptop');
    const agent = { SSH_AUTH_SOCK: socket };
    const add = ['people', 'add', 'ann', '--role', 'approver', '--json', '--agent'];
    expect(errorOf(await pawl(add, agent))).toMatchObject({ message: expect.stringContaining('several') });
    expect((await pawl([...add, 'ann@laptop'], agent)).json).toMatchObject({ person: { publicKey } });
    const signed = await rearm(['--as', 'ann'], agent);
    expect(claimsIn(signed)).toMatchObject({ person: 'ann', role: 'approver' });
    expect(verifyToken(tokenIn(signed), await readPeople(home), Date.now())).toMatchObject({ valid: true });
    expect(errorOf(await rearm(['--as', 'ann'])).message).toContain('neither in this home nor in an ssh-agent');
  });

  test.each([
    ['a wrong passphrase', ['--as', 'grace'], { PAWL_PASSPHRASE: 'incorrect horse' }, 'The passphrase does not open'],
    ['no passphrase and no terminal', ['--as', 'grace'], {}, 'no terminal to ask on'],
    ['a person who is not known', ['--as', 'nobody'], {}, 'no nobody in people.json'],
    ['a person who is revoked', ['--as', 'one'], {}, 'revoked at'],
    ['a role that the person has not', ['--as', 'bare', '--role', 'admin'], {}, 'bare is no admin'],
    ['a passphrase file that is not there', ['--as', 'grace', '--passphrase-file', 'none'], {}, 'cannot be read'],
  ])('%s is an error that says so', async (_, args, variables, message) => {
    const ran = await rearm(args, variables);
    expect(ran.stdout).toBe('');
    expect(errorOf(ran).message).toContain(message);
    expect(errorOf(ran).hint).not.toBeNull();
  });

  test('abuse 64: no command prints, logs or keeps a passphrase or a private key', async () => {
    const secret = 'xyzzy plugh abracadabra';
    const variables = { PAWL_PASSPHRASE: secret };
    const wrong = 'never the right one';
    const said = [
      await pawl(['people', 'add', 'secretive', '--role', 'approver'], variables),
      await pawl(['people', 'add', 'secretive', '--role', 'approver', '--json'], variables),
      await pawl(['people', 'ls', '--json'], variables),
      await rearm(['--as', 'secretive'], variables),
      await rearm(['--as', 'secretive'], { PAWL_PASSPHRASE: wrong }),
      await pawl(['doctor', '--json'], variables),
      await pawl(['people', 'revoke', 'secretive', '--reason', 'over'], variables),
    ].map(({ stdout, stderr }) => stdout + stderr);
    expect(said[4]).toContain('does not open');
    const kept = [readFileSync(homePaths(home).people, 'utf8'), readFileSync(homePaths(home).control, 'latin1')];
    const privateKey = readFileSync(keyOf('bare'), 'utf8').split('\n').at(-3) ?? '';
    expect(privateKey).toMatch(/^MC4/);
    for (const text of [...said, ...kept]) {
      for (const part of [secret, wrong, privateKey]) expect(text).not.toContain(part);
    }
  });
});

describe('a passphrase', () => {
  test('can be put on a key that has none, and doctor no longer warns of it', async () => {
    const keys = async () =>
      (
        (await pawl(['doctor', '--json'])).json as { checks: Array<{ name: string; state: string; found: string }> }
      ).checks.find(({ name }) => name === 'Keys');
    expect(await keys()).toMatchObject({ state: 'warning', found: expect.stringContaining(keyOf('operator')) });
    for (const name of ['ada', 'bare']) {
      expect((await pawl(['people', 'passphrase', name, '--passphrase-file', 'passphrase'])).code).toBe(0);
    }
    expect((await keys())?.found).not.toContain(keyOf('operator'));
    expect((await pawl(['rearm', 'docs', '--reason', 'x', '--print'], { PAWL_PASSPHRASE: PASSPHRASE })).code).toBe(0);
  });

  const terminal = () => {
    const keyboard = Object.assign(new PassThrough(), {
      raw: [] as boolean[],
      setRawMode: (on: boolean) => keyboard.raw.push(on),
    });
    const screen = { text: '', write: (text: string) => (screen.text += text) };
    return { keyboard, screen };
  };

  test('is typed without an echo, and may be corrected', async () => {
    const { keyboard, screen } = terminal();
    const asked = askHidden(['Passphrase: ', 'Again: '], keyboard, screen);
    keyboard.write('wrong\u0015sécret');
    keyboard.write('s\u007f\r');
    keyboard.write('other\r');
    expect(await asked).toEqual(['sécret', 'other']);
    expect(screen.text).toBe('Passphrase: \nAgain: \n');
    expect(keyboard.raw).toEqual([true, false]);
  });

  test('that is empty ends the asking, and Ctrl-C does nothing else', async () => {
    const { keyboard, screen } = terminal();
    const asked = askHidden(['Passphrase: ', 'Again: '], keyboard, screen);
    keyboard.write('\r');
    expect(await asked).toEqual(['']);
    const stopped = askHidden(['Passphrase: '], keyboard, screen);
    keyboard.write('half\u0003');
    await expect(stopped).rejects.toMatchObject({ type: 'Refused' });
    expect(keyboard.raw).toEqual([true, false, true, false]);
  });
});
