import { execFile, spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { ledgerKeyPath } from '../../adapters/keys/ledger-key.ts';
import type { Finding } from '../../adapters/ledger/audit.ts';
import type { InclusionProof } from '../../adapters/ledger/proofs.ts';
import type { LedgerEntry } from '../../contracts/control.ts';
import { attack } from '../support/ledger-attack.ts';
import { errorOf, folderWithData, INIT, pawlIn, type Ran } from './cli-world.ts';

const EXAMPLE = new URL('../../docs/examples/verify-proof.py', import.meta.url).pathname;
const CYCLE = 'si_2026_11_21_001';
const DAMAGE = 7;
const hasPython = spawnSync('python3', ['--version']).status === 0;

let home: string;
let champion: string;
let challenger: string;
/** A time at which the first champion still served. */
let before: string;
const pawl = (...args: readonly string[]): Promise<Ran> => pawlIn(home, args);
const path = (file: string): string => join(home, file);

/** A cycle that two people approved, as the store is told of it. */
beforeAll(async () => {
  home = await folderWithData();
  expect((await pawl(...INIT)).code).toBe(0);
  let now = Date.now();
  // A clock that goes on a second with each look, so that no two rows bear the same time.
  const control = sqliteControl(homePaths(home).control, () => (now += 1_000));
  champion = (await control.state('docs'))?.champion ?? '';
  challenger = 'c'.repeat(64);
  const artifact = { uri: `artifact:sha256/${challenger}`, sha256: challenger };
  const createdAt = new Date(now).toISOString();
  await control.addVariant({ id: challenger, service: 'docs', artifact, origin: CYCLE, createdAt });
  const order = (key: string) => ({ key, service: 'docs', actor: { kind: 'person', name: 'ada' }, reason: key });
  const note = (key: string, over: Partial<LedgerEntry>) =>
    control.note({ ...order(key), cycle: CYCLE, kind: 'decision', body: {}, ...over });
  await control.setGold({ ...order('gold'), variant: champion });
  await control.arm(order('arm'));
  before = new Date(now).toISOString();
  await note('admitted', { kind: 'cycle admitted', body: { approval: { expiresMs: 1, quorum: 2 } } });
  for (const [person, allowed] of [
    ['ada', true],
    ['eve', false],
    ['grace', true],
  ] as const) {
    await note(`approved by ${person}`, { body: { action: 'approve', allowed, person, role: 'approver' } });
  }
  const answer = await control.grant({ ...order('lane'), cycle: CYCLE });
  const token = { epoch: answer.state?.epoch ?? -1, promotion: answer.state?.promotion ?? -1 };
  const split = [champion, challenger].map((variant) => ({ variant, share: 0.5 }));
  await control.shift({ ...order('deploy'), cycle: CYCLE, token, arms: split });
  const arms = [{ variant: challenger, share: 1 }];
  await control.shift({ ...order('promote'), cycle: CYCLE, token, arms, champion: challenger });
  control.close();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const copyOf = (of: string, to: string, change: (text: string) => string): string => {
  writeFileSync(path(to), change(readFileSync(path(of), 'utf8')));
  return path(to);
};

describe('pawl audit show', () => {
  const kindsOf = ({ json }: Ran) => (json as { rows: Array<{ kind: string }> }).rows.map(({ kind }) => kind);

  test('shows rows by service, cycle, kind, time and number', async () => {
    const [all, cycle, decisions, last, early] = await Promise.all([
      pawl('audit', 'show', '--json'),
      pawl('audit', 'show', '--cycle', CYCLE, '--json'),
      pawl('audit', 'show', '--kind', 'decision', '--service', 'docs', '--json'),
      pawl('audit', 'show', '--last', '2', '--json'),
      pawl('audit', 'show', '--until', before, '--json'),
    ]);
    expect(kindsOf(all)).toHaveLength(12);
    expect(kindsOf(cycle)).toEqual(['cycle admitted', 'decision', 'decision', 'decision', 'grant', 'shift', 'shift']);
    expect(kindsOf(decisions)).toEqual(['decision', 'decision', 'decision']);
    expect(kindsOf(last)).toEqual(['shift', 'shift']);
    expect(kindsOf(early)).toEqual(['variant', 'register', 'variant', 'gold', 'arm']);
    expect((all.json as { head: object }).head).toMatchObject({ size: 12, checkpoint: expect.any(String) });
  });

  test('says what a time looks like', async () => {
    const ran = await pawl('audit', 'show', '--since', 'yesterday', '--json');
    expect({ code: ran.code, ...errorOf(ran) }).toMatchObject({ code: 2, message: expect.stringContaining('90m') });
  });
});

describe('pawl audit at', () => {
  test('says which variant served, who decided, and proves every row that it names', async () => {
    const at = await pawl('audit', 'at', '2099-01-01', 'docs', '--json');
    expect(at.json).toMatchObject({
      ...{ champion: challenger, cycle: CYCLE, latch: 'armed', arms: [{ variant: challenger, share: 1 }] },
      decidedBy: 'ada (approver), grace (approver)',
      people: [{ person: 'ada' }, { person: 'grace' }],
    });
    const { proofs, rows } = at.json as { proofs: InclusionProof[]; rows: Record<string, number> };
    expect(rows).toEqual({ champion: 12, traffic: 12, admitted: 6 });
    expect(proofs.map(({ row }) => row.seq)).toEqual([6, 7, 9, 12]);
    expect(new Set(proofs.map(({ checkpoint }) => checkpoint)).size).toBe(1);
  });

  test('of a time before the cycle names the champion of then', async () => {
    const { stdout } = await pawl('audit', 'at', before);
    expect(stdout).toContain(`variant     ${champion}`);
    expect(stdout).toMatch(/decided by {2}\S+ \(person, who did it by hand\)/);
  });

  test('of a time before there was anything says so', async () => {
    const ran = await pawl('audit', 'at', '2001-01-01', '--json');
    expect({ code: ran.code, type: errorOf(ran).type }).toEqual({ code: 4, type: 'NotFound' });
  });
});

describe('pawl audit verify', () => {
  const verify = async (...args: readonly string[]) => {
    const { code, json } = await pawl('audit', 'verify', '--offline', '--json', ...args);
    const { findings } = json as { findings: Finding[] };
    return { code, said: findings.map(({ damage, seq }) => [damage, seq]), report: json };
  };

  test('finds nothing wrong with what nobody touched, in the store and in an export', async () => {
    expect(await verify()).toMatchObject({
      code: 0,
      said: [],
      report: { sound: true, signature: 'good', pinned: true },
    });
    expect((await pawl('audit', 'export', 'ledger.jsonl')).code).toBe(0);
    const exported = await verify('--file', path('ledger.jsonl'), '--head', path('ledger.jsonl'));
    expect(exported).toMatchObject({ code: 0, said: [], report: { rows: 12, known: [{ holds: true }] } });
  });

  test.each([
    ['edited', 7, (text: string) => text.replace('approved by ada', 'approved by eve')],
    [
      'edited',
      7,
      (text: string) => text.replace('"reason":"approved by ada"', '"reason":"?","reason":"approved by ada"'),
    ],
    ['edited', 5, (text: string) => text.replace(/^.*"seq":5.*$/m, 'no JSON at all')],
    ['missing', 5, (text: string) => text.replace(/^.*"seq":5.*\n/m, '')],
    ['truncated', 11, (text: string) => text.replace(/^.*"seq":1[12].*\n/gm, '')],
    ['reordered', 5, (text: string) => text.replace(/^(.*"seq":5.*\n)(.*"seq":6.*\n)/m, '$2$1')],
    ['forged', 5, (text: string) => text.replace(/^(.*"seq":5.*\n)/m, '$1$1')],
  ])('finds in an exported file what was %s, in row %i', async (damage, seq, change) => {
    const file = copyOf('ledger.jsonl', 'damaged.jsonl', change);
    expect(await verify('--file', file)).toMatchObject({ code: DAMAGE, said: [[damage, seq]] });
  });

  test('a file that does not end with a head, or that is none, is an error', async () => {
    const file = copyOf('ledger.jsonl', 'cut.jsonl', (text) => text.slice(0, -100));
    const ran = await pawl('audit', 'verify', '--file', file, '--json');
    expect({ code: ran.code, ...errorOf(ran) }).toMatchObject({
      code: 3,
      message: expect.stringContaining('cut.jsonl'),
    });
  });

  test('an export is not overwritten unless one says so', async () => {
    const refused = await pawl('audit', 'export', 'ledger.jsonl', '--json');
    expect({ code: refused.code, ...errorOf(refused) }).toMatchObject({
      code: 5,
      hint: expect.stringContaining('--force'),
    });
    appendFileSync(path('ledger.jsonl'), 'x');
    expect((await pawl('audit', 'export', 'ledger.jsonl', '--force')).code).toBe(0);
    expect(await verify('--file', path('ledger.jsonl'))).toMatchObject({ code: 0 });
  });

  test('where Temporal is not there, it says that its heads were not compared, and goes on', async () => {
    const { code, stdout } = await pawlIn(home, ['audit', 'verify'], { PAWL_TEMPORAL_ADDRESS: '127.0.0.1:1' });
    expect(code).toBe(0);
    expect(stdout).toContain('Temporal is not reachable');
  });
});

describe('a proof', () => {
  const checked = async (proof: string): Promise<number> => {
    const ran = promisify(execFile)('python3', [EXAMPLE, proof]);
    return ran.then(
      () => 0,
      ({ code }) => code,
    );
  };

  test.skipIf(!hasPython)(
    'abuse 66: holds for twenty lines of Python that know nothing of Pawl, unless somebody touched it',
    async () => {
      expect(readFileSync(EXAMPLE, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(20);
      for (const seq of [1, 7, 12]) {
        writeFileSync(path('proof.json'), (await pawl('audit', 'prove', String(seq))).stdout);
        expect(await checked(path('proof.json'))).toBe(0);
      }
      const tampered = (name: string, change: (proof: InclusionProof) => object): string =>
        copyOf('proof.json', name, (text) => JSON.stringify(change(JSON.parse(text))));
      const files = [
        tampered('leaf.json', (proof) => ({ ...proof, leaf: proof.leaf.replace('promote', 'demote') })),
        tampered('row.json', (proof) => ({ ...proof, row: { ...proof.row, reason: 'another' } })),
        tampered('index.json', (proof) => ({ ...proof, index: proof.index - 1 })),
        tampered('hash.json', (proof) => ({ ...proof, hashes: proof.hashes.toReversed() })),
        tampered('head.json', (proof) => ({
          ...proof,
          checkpoint: proof.checkpoint.replace(/\n.{43}=/, `\n${'A'.repeat(43)}=`),
        })),
      ];
      expect(await Promise.all(files.map(checked))).toEqual(files.map(() => 1));
    },
  );

  test('of growth leads from an earlier head to that of today', async () => {
    const { json } = await pawl('audit', 'prove', '--from', '5', '--json');
    expect(json).toMatchObject({ from: { size: 5 }, to: { size: 12 }, hashes: expect.any(Array) });
  });

  test.each([
    [['audit', 'prove'], 'Usage'],
    [['audit', 'prove', '3', '--from', '2'], 'Usage'],
    [['audit', 'prove', '999'], 'NotFound'],
    [['audit', 'prove', '--from', '999'], 'Usage'],
  ])('%j is an error of type %s', async (args, type) => {
    expect(errorOf(await pawl(...args, '--json')).type).toBe(type);
  });
});

describe('after somebody wrote into the store', () => {
  test('verify names the row, nothing can be proved, and the exit code says so', async () => {
    attack(homePaths(home).control, ({ put, hashed, row }) => put(hashed({ ...row(7), reason: 'eve' })));
    const { code, stdout } = await pawl('audit', 'verify', '--offline');
    expect(code).toBe(DAMAGE);
    expect(stdout).toContain('row 7 edited');
    expect((await pawl('audit', 'prove', '3')).code).toBe(DAMAGE);
    expect((await pawl('audit', 'at', '2099-01-01')).code).toBe(DAMAGE);
  });
});

describe('ledger.vkey', () => {
  test('is written by init; one that says something else is an error, and is left as it is', async () => {
    expect(statSync(homePaths(home).ledgerKey).isFile()).toBe(true);
    const pinned = readFileSync(homePaths(home).ledgerKey, 'utf8');
    rmSync(ledgerKeyPath(homePaths(home).control));
    expect((await pawl('kill', '--break-glass', '--reason', 'smoke')).code).toBe(0);
    const ran = await pawl('init', '--json');
    expect({ code: ran.code, ...errorOf(ran) }).toMatchObject({ code: 5, hint: expect.stringContaining('ledger.pem') });
    expect(readFileSync(homePaths(home).ledgerKey, 'utf8')).toBe(pinned);
    const { stdout } = await pawl('audit', 'verify', '--offline');
    expect(stdout).toContain('row 13 says that the key was lost');
  });
});
