/** `pawl evidence` on a home where nothing runs: ledger and files are all that it needs. */
import { sign } from 'node:crypto';
import { appendFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openEnvelope, signedEnvelope } from '../../adapters/evidence/dsse.ts';
import { PAYLOAD_TYPE } from '../../adapters/evidence/statement.ts';
import { homePaths } from '../../adapters/home.ts';
import { pinLedgerKey } from '../../adapters/ledger/pinned-key.ts';
import { vkeyOf } from '../../adapters/ledger/signed-note.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { CYCLE } from '../support/cycle-evidence.ts';
import { SERVICE } from '../support/search-service.ts';
import { signer } from '../support/signers.ts';
import { type Scene, scene } from './evidence-scene.ts';

interface Verified {
  readonly good: boolean;
  readonly complete: boolean;
  readonly problems: readonly string[];
  readonly files: ReadonlyArray<{ readonly name: string; readonly state: string; readonly sealed: string | null }>;
}

const verified = async ({ pawl }: Scene) => {
  const { code, json } = await pawl('evidence', 'verify', '--json');
  return { code, ...(json as Verified) };
};

describe('evidence that is as it was sealed', () => {
  test('is shown with its files, and verifies with exit code 0', async () => {
    const world = await scene();
    const shown = await world.pawl('evidence', 'show', 'latest');
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(world.folder);
    expect(shown.stdout).toMatch(/evaluation\.json +\d+ +[0-9a-f]{12} +✓/);
    expect(shown.stdout).toMatch(/^complete$/m);
    const checked = await world.pawl('evidence', 'verify', CYCLE);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('files as they were sealed, signed by') });
    expect(await verified(world)).toMatchObject({ code: 0, good: true, complete: true, problems: [] });
  });
});

describe('evidence that is not is told apart, with exit code 7', () => {
  const statementIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'statement.json'), 'utf8'));
  const damages: ReadonlyArray<readonly [what: string, damage: (world: Scene) => unknown, said: RegExp]> = [
    [
      'a file that was changed',
      ({ folder }) => appendFileSync(join(folder, 'evaluation.json'), ' '),
      /^evaluation\.json was changed/,
    ],
    ['a file that is missing', ({ folder }) => rmSync(join(folder, 'monitor.json')), /^monitor\.json is missing/],
    [
      'a file that was added',
      ({ folder }) => writeFileSync(join(folder, 'note.txt'), 'by hand'),
      /^note\.txt is not part of what was sealed/,
    ],
    [
      'a file under another name',
      ({ folder }) => renameSync(join(folder, 'lesson.json'), join(folder, 'lessons.json')),
      /^lesson\.json is missing/,
    ],
    [
      'a link in the place of a file, even to the same bytes',
      ({ folder }) => {
        renameSync(join(folder, 'monitor.json'), join(folder, '..', 'elsewhere.json'));
        symlinkSync('../elsewhere.json', join(folder, 'monitor.json'));
      },
      /^monitor\.json was changed/,
    ],
    ['a statement that is gone', ({ folder }) => rmSync(join(folder, 'statement.json')), /^statement\.json is missing/],
    ['a folder that is gone', ({ folder }) => rmSync(folder, { recursive: true }), /no folder of evidence/],
    [
      'a statement that another key has signed, over files of its own',
      async ({ folder }) => {
        const { payload } = openEnvelope(statementIn(folder));
        const { privateKey } = signer();
        const mine = { name: 'x', keyId: 'x', sign: async (bytes: Uint8Array) => sign(null, bytes, privateKey) };
        writeFileSync(join(folder, 'statement.json'), canonicalJson(await signedEnvelope(PAYLOAD_TYPE, payload, mine)));
      },
      /^statement\.json has the digest [0-9a-f]{64}; the ledger names/,
    ],
    [
      'a file of a schema that is not known here',
      ({ folder }) => {
        const path = join(folder, 'lesson.json');
        writeFileSync(path, readFileSync(path, 'utf8').replace('pawl/lesson/v1', 'pawl/lesson/v2'));
      },
      /^lesson\.json follows pawl\/lesson\/v2; this version of Pawl reads v1/,
    ],
  ];
  test.each(damages)('%s', async (_, damage, said) => {
    const world = await scene();
    await damage(world);
    const result = await verified(world);
    expect(result).toMatchObject({ code: 7, good: false });
    expect(result.problems).toContainEqual(expect.stringMatching(said));
  });

  test('a key that is not the pinned one', async () => {
    const world = await scene();
    rmSync(homePaths(world.home).ledgerKey);
    await pinLedgerKey(world.home, vkeyOf('elsewhere', signer().privateKey));
    const result = await verified(world);
    expect(result.problems).toContainEqual(expect.stringMatching(/^no key of ledger\.vkey has signed/));
  });

  test('evidence that was incomplete when it was sealed, whose missing file was put there later', async () => {
    const world = await scene(({ evidence: { evaluate: _, ...evidence }, ...order }) => ({ ...order, evidence }));
    expect(await verified(world)).toMatchObject({ code: 7, complete: false });
    writeFileSync(join(world.folder, 'evaluation.json'), '{}');
    const { problems } = await verified(world);
    expect(problems).toEqual(
      expect.arrayContaining([
        'evaluation.json is not part of what was sealed',
        'incomplete: evaluation.json was missing when it was sealed',
      ]),
    );
  });

  test('a statement that the ledger does not know', async () => {
    const world = await scene();
    const { service, seal, order, pawl } = world;
    const second = 'si_2026_11_21_002';
    await seal({ ...order, cycle: second });
    const body = { ...order.end, sealed: null, unsealed: 'the disk was full' };
    await service.deps.control.note({
      ...{ key: 'end of the second', service: SERVICE, cycle: second, kind: 'cycle ended', reason: 'a test', body },
      actor: { kind: 'cycle', name: second },
    });
    const { code, json } = await pawl('evidence', 'verify', second, '--json');
    expect(code).toBe(7);
    expect((json as Verified).problems).toContain('the ledger says that nothing was sealed: the disk was full');
  });
});

test('a file whose digest the ledger says was erased on purpose is no damage', async () => {
  const world = await scene();
  const { files } = await verified(world);
  const csv = files.find(({ name }) => name.endsWith('.csv'));
  rmSync(join(world.folder, 'augmented_dataset.csv'));
  await world.service.deps.control.note({
    ...{ key: 'erasure', service: SERVICE, cycle: null, kind: 'erased', reason: 'a person asked for it' },
    actor: { kind: 'person', name: 'ada' },
    body: { artifacts: [csv?.sealed] },
  });
  const result = await verified(world);
  expect(result).toMatchObject({ code: 0, good: true });
  expect(result.files).toContainEqual(expect.objectContaining({ name: 'augmented_dataset.csv', state: 'erased' }));
});

test('a cycle that the ledger does not know is told so', async () => {
  const world = await scene();
  const { code, stderr } = await world.pawl('evidence', 'show', 'si_2026_11_21_999');
  expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining('The ledger knows no cycle') });
});
