import { readFileSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { loadVariant } from '../../adapters/lexical/variant.ts';
import { errorOf, folderWithData, INIT, pawlIn } from './cli-world.ts';

let home: string;
beforeAll(async () => {
  home = await folderWithData();
});
afterAll(() => rm(home, { recursive: true, force: true }));

const stateOf = async (service: string) => {
  const control = sqliteControl(homePaths(home).control);
  try {
    const state = await control.state(service);
    return { state, variants: await control.variants(service) };
  } finally {
    control.close();
  }
};

describe('pawl init', () => {
  test('makes configuration, key and champion, and says what is missing until the service is armed', async () => {
    const { code, stdout } = await pawlIn(home, INIT);
    expect(code).toBe(0);
    expect(stdout).toContain('pawl gold set --service docs');
    expect(stdout).toContain('pawl rearm docs');
    expect((await stateOf('docs')).state).toMatchObject({ latch: 'disarmed', gold: null, promotion: 0 });
  });

  test('the key is for nobody else to read, and its public half names the person', () => {
    const { operatorKey, people } = homePaths(home);
    expect(statSync(operatorKey).mode & 0o077).toBe(0);
    expect(JSON.parse(readFileSync(people, 'utf8')).people).toMatchObject([
      { name: 'ada', roles: ['operator', 'approver', 'admin'] },
    ]);
  });

  test('repeating it keeps everything', async () => {
    const files = ['pawl.yaml', 'people.json', 'ledger.vkey', '.pawl/keys/operator.pem', '.pawl/keys/ledger.pem'].map(
      (file) => join(home, file),
    );
    const before = files.map((file) => readFileSync(file, 'utf8'));
    const { code, json } = await pawlIn(home, ['init', '--json']);
    expect(code).toBe(0);
    expect((json as { steps: Array<{ made: boolean }> }).steps.map(({ made }) => made)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before);
    expect((await stateOf('docs')).variants).toHaveLength(1);
  });

  test('--tune makes the best settings that it finds on the training queries the champion', async () => {
    const { code, stdout, stderr } = await pawlIn(home, [...INIT.with(2, 'tuned'), '--tune']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/the best of \d+ settings: NDCG@10 [\d.]+ → [\d.]+/);
    const { variants } = await stateOf('tuned');
    const [champion] = variants;
    if (!champion) throw new Error('there is no champion');
    expect(await loadVariant(folderArtifacts(homePaths(home).artifacts), champion)).toMatchObject({ service: 'tuned' });
  });

  test('a second service lies in services/, and from then on a command asks which one is meant', async () => {
    expect(readFileSync(join(home, 'services', 'tuned', 'pawl.yaml'), 'utf8')).toContain('../../corpus.jsonl');
    const ran = await pawlIn(home, ['variant', 'ls', '--json']);
    expect({ code: ran.code, ...errorOf(ran) }).toMatchObject({
      code: 2,
      type: 'Usage',
      hint: 'It knows: docs, tuned.',
    });
  });

  test('a name that is no service name is refused before anything is written', async () => {
    const folder = join(home, 'elsewhere');
    await mkdir(folder);
    const ran = await pawlIn(folder, ['init', '--service', '../Docs', '--json']);
    expect({ code: ran.code, type: errorOf(ran).type }).toEqual({ code: 2, type: 'Usage' });
    expect(() => statSync(join(folder, 'pawl.yaml'))).toThrow('ENOENT');
  });
});
